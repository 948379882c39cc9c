// Gaps of the catalog.

import { el } from "../page/dom.js";
import { bar, count, percent } from "./format.js";
import { plural, t } from "./words.js";

export function catalog(report) {
  const open = report.checks.filter((c) => c.items).sort((a, b) => b.items - a.items);
  const fine = report.checks.filter((c) => !c.items).map((c) => t(c.check));
  return [
    el("p", { class: "lead" }, plural(report.items, "{n} item", "{n} items"), open.length ? "" : t(": nothing to mend.")),
    el("ul", { class: "checks" }, ...open.map((c) => check(c, report))),
    fine.length ? el("p", { class: "note" }, t("Nothing found for: {list}.", { list: fine.join(" · ") })) : null,
  ];
}

function check(c, report) {
  const name = c.check === "never shown" ? plural(report.days, "never shown in {n} day", "never shown in {n} days") : t(c.check);
  const examples = c.examples.map((i) => el("li", {}, i.title, " ", el("code", {}, i.item_id)));
  const more = c.items > c.examples.length ? el("li", { class: "note" }, t("and {n} more, in the export", { n: count(c.items - c.examples.length) })) : null;
  return el(
    "li", { class: "card" },
    el("div", { class: "row" }, el("h3", {}, name), el("strong", {}, count(c.items), " ", el("small", {}, percent(c.share)))),
    bar(c.share, c.share > 0.5 ? "warn" : ""),
    el("p", { class: "note" }, t(c.why)),
    el("details", {}, el("summary", {}, t("Which?")), el("ul", { class: "names" }, ...examples, more)),
  );
}
