// What people ask for, and what was not understood of it.

import { el } from "../page/dom.js";
import { bigRate, card, count, figure, percent, stack, table } from "./format.js";
import { moment, plural, t } from "./words.js";

export function asked(report) {
  if (!report.sentences) {
    return [el("p", { class: "empty" }, t("No sentence yet. What people write on the page, or send to a session as text, will be here."))];
  }
  const share = (n) => n / report.sentences;
  const figures = el(
    "div", { class: "figures" },
    figure(count(report.sentences), t("sentences"), plural(report.people, "of {n} person", "of {n} people")),
    figure(percent(share(report.nothing), 0), t("not understood at all"), plural(report.nothing, "{n} sentence", "{n} sentences")),
    figure(percent(share(report.partly), 0), t("understood in part"), plural(report.partly, "{n} sentence", "{n} sentences")),
    figure(bigRate(report.people_understood, 0), t("of people were always understood"), t("in part at least")),
  );
  const legend = el(
    "ul", { class: "legend" },
    el("li", { class: "good" }, t("all understood {p}", { p: percent(share(report.understood), 0) })),
    el("li", { class: "fair" }, t("in part {p}", { p: percent(share(report.partly), 0) })),
    el("li", { class: "poor" }, t("nothing {p}", { p: percent(share(report.nothing), 0) })),
  );
  const bar = stack([[share(report.understood), "good"], [share(report.partly), "fair"], [share(report.nothing), "poor"]]);
  return [
    figures, bar, legend,
    el("div", { class: "two" }, unread(report), newest(report)),
    report.unreadable ? el("p", { class: "note" }, plural(report.unreadable, "{n} session cannot be read.", "{n} sessions cannot be read.")) : null,
  ];
}

/** Not understood, the parts of most people first, of at least as many people as is chosen. */
function unread(report) {
  const frame = el("div", {});
  const fewest = el(
    "select", { "aria-label": t("People who must have written it") },
    ...[1, 2, 3, 5, 10].map((n) => el("option", { value: String(n) }, n === 1 ? t("by anybody") : t("by {n} people or more", { n }))),
  );
  const show = () => {
    const parts = report.parts.filter((p) => p.people >= Number(fewest.value));
    const rows = parts.slice(0, 50).map((p) => [
      el("span", {}, el("strong", {}, p.part), el("small", {}, p.example)), count(p.people), count(p.times),
    ]);
    frame.replaceChildren(
      table(t("Not understood"), [[t("Words, with the newest sentence"), "wide"], [t("People"), "number"], [t("Sentences"), "number"]], rows,
        { empty: t("Everything was understood."), tall: true }),
      ...(parts.length > 50 ? [el("p", { class: "note" }, t("and {n} more, in the export", { n: count(parts.length - 50) }))] : []),
    );
  };
  fewest.addEventListener("change", show);
  show();
  return card(t("Not understood"), el("label", { class: "select inline" }, el("span", {}, t("Written")), fewest), frame);
}

function newest(report) {
  const lines = report.newest.slice(0, 40).map((s) =>
    el("li", {}, el("p", {}, ...marked(s)), el("small", {}, hour(s.at))),
  );
  return card(
    t("Newest sentences"),
    el("p", { class: "note" }, el("mark", { class: "read" }, t("understood")), " ", el("mark", { class: "lost" }, t("not understood"))),
    el("ol", { class: "sentences", tabindex: "0", "aria-label": t("Newest sentences") }, ...lines),
  );
}

/** A sentence with what was understood and what was not marked, in their order. */
function marked(sentence) {
  const found = [];
  for (const [kind, parts] of [["read", sentence.understood], ["lost", sentence.not_understood]]) {
    let from = 0;
    for (const part of parts) {
      let at = sentence.text.indexOf(part, from);
      if (at < 0) at = sentence.text.indexOf(part);
      if (at < 0 || found.some((f) => at < f.end && f.start < at + part.length)) continue;
      found.push({ start: at, end: at + part.length, kind });
      from = at + part.length;
    }
  }
  found.sort((a, b) => a.start - b.start);
  const out = [];
  let at = 0;
  for (const { start, end, kind } of found) {
    out.push(sentence.text.slice(at, start), el("mark", { class: kind }, sentence.text.slice(start, end)));
    at = end;
  }
  return [...out, sentence.text.slice(at)];
}

const hour = (at) => moment(at, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
