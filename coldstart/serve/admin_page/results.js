// What was shown and what was taken: by day, by arm, and by item.

import { el } from "../page/dom.js";
import { card, count, figure, percent, plural, rate, table, whisker } from "./format.js";
import { timePlot } from "./plot.js";

const KINDS = { like: "liked", dislike: "disliked", click: "clicked", buy: "bought", seen: "seen already", skip: "skipped", not_now: "not now" };

export function results(report) {
  const all = report.total;
  if (!all.lists) {
    return [el("p", { class: "empty" }, "Nobody was shown a list in these days. Lists of sessions, and of requests with a subject, will be here.")];
  }
  const figures = el(
    "div", { class: "figures" },
    figure(rate(all.ctr), "click-through rate", `${count(all.taken)} of ${plural(all.shown, "shown item")}`),
    figure(rate(all.conversion), "conversion", `${count(all.converted)} of ${plural(all.people, "person", "people")} liked or bought`),
    figure(percent(all.coverage), "of the catalog was shown", plural(all.covered, "item")),
    figure(rate(all.new_share), "of shown items are new", "not in the artifact’s data"),
  );
  const kinds = Object.entries(report.kinds).sort((a, b) => b[1] - a[1]);
  const reactions = kinds.length ? `Of the shown items: ${kinds.map(([k, n]) => `${count(n)} ${KINDS[k] ?? k}`).join(", ")}.` : "No reactions yet.";
  return [
    report.complete ? null : el("p", { class: "note warning" }, "There are more lists than one report counts: the newest ones are shown."),
    figures,
    el("p", { class: "note" }, reactions),
    el("div", { class: "two" }, clicks(report), people(report)),
    arms(report),
    items(report),
  ];
}

const times = (report) => report.days.map((d) => Date.parse(`${d.name}T00:00:00Z`) / 1000);

function clicks(report) {
  const of = (key, part) => report.days.map((d) => d[key][part]);
  const format = (x) => percent(x);
  const series = [
    { label: "Click-through rate", values: of("ctr", "value"), band: [of("ctr", "low"), of("ctr", "high")], kind: "one", format },
  ];
  return card("Click-through rate by day", timePlot("Click-through rate by day, with 95 % intervals", times(report), series, (x) => percent(x, 0), { days: true, most: ceiling(report.days) }));
}

/** Top of the axis: the days of a few people have intervals that would dwarf all others. */
function ceiling(days) {
  const told = days.filter((d) => d.ctr.value !== null);
  const highs = told.map((d) => d.ctr.high).sort((a, b) => a - b);
  const middle = highs[Math.floor(highs.length / 2)] ?? 0;
  return Math.min(1, Math.max(2 * middle, 1.2 * Math.max(0, ...told.map((d) => d.ctr.value)), 0.02));
}

function people(report) {
  const of = (key) => report.days.map((d) => d[key]);
  const series = [
    { label: "People", values: of("people"), kind: "two", bars: true, format: count },
    { label: "Converted", values: of("converted"), kind: "one", bars: true, format: count },
  ];
  return card("People by day", timePlot("People who were shown a list, and who liked or bought, by day", times(report), series, count, { days: true }));
}

function arms(report) {
  const highest = Math.max(...report.arms.map((a) => a.conversion.high ?? 0), 0.01);
  const gains = report.arms.filter((a) => a.gain !== null);
  const widest = Math.max(...gains.map((a) => Math.max(Math.abs(a.gain_low), Math.abs(a.gain_high))), 0.01);
  const rows = report.arms.map((a) => [
    el("span", {}, el("strong", {}, a.name), el("small", {}, a.test ? `A/B test ${a.test}` : "artifact, outside of a test")),
    count(a.people),
    rate(a.ctr),
    el("span", { class: "drawn" }, rate(a.conversion), whisker(a.conversion, 0, highest)),
    a.gain === null ? "" : el("span", { class: "drawn" }, difference(a), whisker({ value: a.gain, low: a.gain_low, high: a.gain_high }, -widest, widest, 0)),
    percent(a.coverage),
    rate(a.new_share, 0),
  ]);
  const columns = [
    ["Arm", "wide"], ["People", "number"], ["Click-through", "number"], ["Conversion", "number"],
    ["Against the control", "number"], ["Coverage", "number"], ["New items", "number"],
  ];
  return card("By arm", table("By arm", columns, rows));
}

function difference(a) {
  const points = (x) => `${x > 0 ? "+" : x < 0 ? "−" : ""}${Math.abs(100 * x).toFixed(1)}`;
  return `${points(a.gain)} points (${points(a.gain_low)} to ${points(a.gain_high)})`;
}

function items(report) {
  const rows = report.items.slice(0, 15).map((i) => [
    el("span", {}, el("strong", {}, i.title || i.item_id), i.title ? null : el("small", {}, "no longer in the catalog")),
    count(i.shown), count(i.taken), rate(i.rate, 0),
  ]);
  const columns = [["Item", "wide"], ["Shown to", "number"], ["Taken by", "number"], ["Rate", "number"]];
  return card("Most shown items", table("Most shown items", columns, rows));
}
