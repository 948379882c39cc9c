// Artifacts with their figures; what is served, and back.

import { $, el, say } from "../page/dom.js";
import { send } from "./api.js";
import { bar, count, percent, table } from "./format.js";
import { moment, t } from "./words.js";

export function artifacts(report, reload) {
  const since = report.since ? t(", since {time}", { time: moment(report.since, { dateStyle: "medium", timeStyle: "short" }) }) : "";
  const before = report.before[0]?.arms.join(" + ");
  const state = report.release ? t("Release {n}", { n: report.release }) + since : t("What the service was started with");
  const head = el(
    "div", { class: "row wrap" },
    el("p", { class: "lead" }, state, report.experiment ? `, ${t("A/B test {name}", { name: report.experiment })}` : ""),
    el(
      "div", { class: "actions" },
      report.changeable && before !== undefined
        ? button(t("Roll back"), () => change(reload, t("Roll back?"), t("{name} will be served again by all services of the store.", { name: before }), t("Roll back"), "rollback"))
        : null,
      button(t("Read again"), () => change(reload, t("Read the artifacts again?"), t("Their folders are loaded once more, without a stop."), t("Read again"), "reload")),
    ),
  );
  return [
    report.changeable ? null : el("p", { class: "note warning" }, t("The service was started with an A/B test of a file: releases cannot be changed here.")),
    head,
    el("ul", { class: "artifacts" }, ...report.artifacts.map((a) => one(a, report, reload))),
  ];
}

const button = (name, onclick, kind = "") => el("button", { type: "button", class: kind, onclick }, name);

function one(a, report, reload) {
  const facts = [
    a.data ? t("{users} people, {likes} likes of {data}", { users: count(a.users), likes: count(a.likes), data: a.data }) : t("from a catalog alone"),
    t("{n} items", { n: count(a.items) }),
    a.requests ? t("{n} recorded requests", { n: count(a.requests) }) : null,
    a.base,
    t("written {time}", { time: moment(a.written, { dateStyle: "medium" }) }),
  ];
  const figures = a.figures.map((f) => el("div", {}, el("h4", {}, f.heading), table(f.heading, f.columns.map((c, i) => [c, i ? "number" : "wide"]), f.rows)));
  const offered = report.changeable && !a.problem && a.share < 1;
  return el(
    "li", { class: `card${a.share ? " serving" : ""}` },
    el(
      "div", { class: "row wrap" },
      el("div", {}, el("h3", {}, a.name), el("p", { class: "note" }, facts.filter(Boolean).join(" · "))),
      el("strong", { class: "share" }, a.share ? t("serves {p}", { p: percent(a.share, 0) }) : t("not served")),
    ),
    a.share ? bar(a.share) : null,
    a.problem ? el("p", { class: "wrong" }, a.problem) : null,
    figures.length ? el("details", {}, el("summary", {}, t("Figures of its card")), ...figures) : el("p", { class: "note" }, t("No measured figures in its card: coldstart evaluate --card writes them.")),
    offered
      ? el(
          "div", { class: "actions" },
          button(t("Serve to everybody"), () => change(reload, t("Serve {name}?", { name: a.name }), t("All people get it, without a stop. You can roll back."), t("Serve"), "release", { artifact: a.name })),
          report.experiment || a.share ? null : button(t("Try on a share"), () => change(reload, t("Try {name}?", { name: a.name }), t("An A/B test against what is served now; its results are under “By arm”."), t("Start"), "release", { artifact: a.name }, true)),
        )
      : null,
  );
}

/** Ask, then change what is served. */
function change(reload, title, note, yes, path, body, shared = false) {
  const dialog = $("confirm");
  $("h-confirm").textContent = title;
  $("confirm-note").textContent = note;
  $("confirm-yes").textContent = yes;
  $("share-field").hidden = !shared;
  $("share").disabled = !shared;
  dialog.onclose = async () => {
    if (dialog.returnValue !== "yes") return;
    say(t("Loading. This takes some seconds."));
    document.body.classList.add("changing");
    try {
      await send(`v1/admin/${path}`, shared ? { ...body, share: Number($("share").value) / 100 } : body);
      await reload();
      say(t("Done."));
    } catch (problem) {
      await reload(problem.message);
    } finally {
      document.body.classList.remove("changing");
    }
  };
  dialog.returnValue = "";
  dialog.showModal();
}
