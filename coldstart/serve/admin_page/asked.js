// What people ask for, and what was not understood of it.

import { el } from "../page/dom.js";
import { card, count, figure, percent, plural, rate, stack, table } from "./format.js";

export function asked(report) {
  if (!report.sentences) {
    return [el("p", { class: "empty" }, "No sentence yet. What people write on the page, or send to a session as text, will be here.")];
  }
  const share = (n) => n / report.sentences;
  const figures = el(
    "div", { class: "figures" },
    figure(count(report.sentences), "sentences", `of ${plural(report.people, "person", "people")}`),
    figure(percent(share(report.nothing), 0), "not understood at all", `${plural(report.nothing, "sentence")}`),
    figure(percent(share(report.partly), 0), "understood in part", `${plural(report.partly, "sentence")}`),
    figure(rate(report.people_understood, 0), "of people were always understood", "in part at least"),
  );
  const legend = el(
    "ul", { class: "legend" },
    el("li", { class: "good" }, `all understood ${percent(share(report.understood), 0)}`),
    el("li", { class: "fair" }, `in part ${percent(share(report.partly), 0)}`),
    el("li", { class: "poor" }, `nothing ${percent(share(report.nothing), 0)}`),
  );
  const bar = stack([[share(report.understood), "good"], [share(report.partly), "fair"], [share(report.nothing), "poor"]]);
  return [
    figures, bar, legend,
    el("div", { class: "two" }, unread(report), newest(report)),
    report.unreadable ? el("p", { class: "note" }, `${plural(report.unreadable, "session")} cannot be read.`) : null,
  ];
}

/** Not understood, the parts of most people first, of at least as many people as is chosen. */
function unread(report) {
  const frame = el("div", {});
  const fewest = el(
    "select", { "aria-label": "People who must have written it" },
    ...[1, 2, 3, 5, 10].map((n) => el("option", { value: String(n) }, n === 1 ? "by anybody" : `by ${n} people or more`)),
  );
  const show = () => {
    const parts = report.parts.filter((p) => p.people >= Number(fewest.value));
    const rows = parts.slice(0, 30).map((p) => [
      el("span", {}, el("strong", {}, p.part), el("small", {}, p.example)), count(p.people), count(p.times),
    ]);
    frame.replaceChildren(
      table("Not understood", [["Words, and the newest sentence with them", "wide"], ["People", "number"], ["Sentences", "number"]], rows,
        { empty: "Everything was understood." }),
      ...(parts.length > 30 ? [el("p", { class: "note" }, `and ${count(parts.length - 30)} more, in the export`)] : []),
    );
  };
  fewest.addEventListener("change", show);
  show();
  return card("Not understood", el("label", { class: "select inline" }, el("span", {}, "Written"), fewest), frame);
}

function newest(report) {
  const lines = report.newest.slice(0, 40).map((s) =>
    el("li", {}, el("p", {}, ...marked(s)), el("small", {}, hour(s.at))),
  );
  return card(
    "Newest sentences",
    el("p", { class: "note" }, el("mark", { class: "read" }, "understood"), " ", el("mark", { class: "lost" }, "not understood")),
    el("ol", { class: "sentences", tabindex: "0", "aria-label": "Newest sentences" }, ...lines),
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

function hour(at) {
  return new Date(at).toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
