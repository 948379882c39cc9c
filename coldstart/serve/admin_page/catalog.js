// Gaps of the catalog.

import { el } from "../page/dom.js";
import { bar, count, percent, plural } from "./format.js";

export function catalog(report) {
  const open = report.checks.filter((c) => c.items).sort((a, b) => b.items - a.items);
  const fine = report.checks.filter((c) => !c.items).map((c) => c.check);
  return [
    el("p", { class: "lead" }, plural(report.items, "item"), open.length ? "" : ": nothing to mend."),
    el("ul", { class: "checks" }, ...open.map((c) => check(c, report))),
    fine.length ? el("p", { class: "note" }, `Nothing found for: ${fine.join(" · ")}.`) : null,
  ];
}

function check(c, report) {
  const name = c.check === "never shown" ? `never shown in ${plural(report.days, "day")}` : c.check;
  const examples = c.examples.map((i) => el("li", {}, i.title, " ", el("code", {}, i.item_id)));
  const more = c.items > c.examples.length ? el("li", { class: "note" }, `and ${count(c.items - c.examples.length)} more, in the export`) : null;
  return el(
    "li", { class: "card" },
    el("div", { class: "row" }, el("h3", {}, name), el("strong", {}, count(c.items), " ", el("small", {}, percent(c.share)))),
    bar(c.share, c.share > 0.5 ? "warn" : ""),
    el("p", { class: "note" }, c.why),
    el("details", {}, el("summary", {}, "Which?"), el("ul", { class: "names" }, ...examples, more)),
  );
}
