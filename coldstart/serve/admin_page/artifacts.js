// Artifacts with their figures; what is served, and back.

import { $, el, say } from "../page/dom.js";
import { send } from "./api.js";
import { bar, count, percent, table } from "./format.js";

export function artifacts(report, reload) {
  const since = report.since ? `, since ${new Date(report.since).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : "";
  const before = report.before[0]?.arms.join(" and ");
  const state = report.release ? `Release ${report.release}${since}` : "What the service was started with";
  const head = el(
    "div", { class: "row wrap" },
    el("p", { class: "lead" }, state, report.experiment ? `, A/B test ${report.experiment}` : ""),
    el(
      "div", { class: "actions" },
      report.changeable && before !== undefined
        ? button("Roll back", () => change(reload, "Roll back?", `${before} will be served again by all services of the store.`, "Roll back", "rollback"))
        : null,
      button("Read again", () => change(reload, "Read the artifacts again?", "Their folders are loaded once more, without a stop.", "Read again", "reload")),
    ),
  );
  return [
    report.changeable ? null : el("p", { class: "note warning" }, "The service was started with an A/B test of a file: releases cannot be changed here."),
    head,
    el("ul", { class: "artifacts" }, ...report.artifacts.map((a) => one(a, report, reload))),
  ];
}

const button = (name, onclick, kind = "") => el("button", { type: "button", class: kind, onclick }, name);

function one(a, report, reload) {
  const facts = [
    a.data ? `${count(a.users)} people, ${count(a.likes)} likes of ${a.data}` : "from a catalog alone",
    `${count(a.items)} items`,
    a.requests ? `${count(a.requests)} recorded requests` : null,
    a.base,
    `written ${new Date(a.written).toLocaleDateString("en-GB", { dateStyle: "medium" })}`,
  ];
  const figures = a.figures.map((t) => el("div", {}, el("h4", {}, t.heading), table(t.heading, t.columns.map((c, i) => [c, i ? "number" : "wide"]), t.rows)));
  const offered = report.changeable && !a.problem && a.share < 1;
  return el(
    "li", { class: `card${a.share ? " serving" : ""}` },
    el(
      "div", { class: "row wrap" },
      el("div", {}, el("h3", {}, a.name), el("p", { class: "note" }, facts.filter(Boolean).join(" · "))),
      el("strong", { class: "share" }, a.share ? `serves ${percent(a.share, 0)}` : "not served"),
    ),
    a.share ? bar(a.share) : null,
    a.problem ? el("p", { class: "wrong" }, a.problem) : null,
    figures.length ? el("details", {}, el("summary", {}, "Figures of its card"), ...figures) : el("p", { class: "note" }, "No measured figures in its card: coldstart evaluate --card writes them."),
    offered
      ? el(
          "div", { class: "actions" },
          button("Serve to everybody", () => change(reload, `Serve ${a.name}?`, "All people get it, without a stop. You can roll back.", "Serve", "release", { artifact: a.name })),
          report.experiment || a.share ? null : button("Try on a share", () => change(reload, `Try ${a.name}?`, "An A/B test against what is served now; its results are under “By arm”.", "Start", "release", { artifact: a.name }, true)),
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
    say("Loading. This takes some seconds.");
    document.body.classList.add("changing");
    try {
      await send(`v1/admin/${path}`, shared ? { ...body, share: Number($("share").value) / 100 } : body);
      await reload();
      say("Done.");
    } catch (problem) {
      await reload(problem.message);
    } finally {
      document.body.classList.remove("changing");
    }
  };
  dialog.returnValue = "";
  dialog.showModal();
}
