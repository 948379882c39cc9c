// What was shown and what was taken: by day, by arm, and by item.

import { el } from "../page/dom.js";
import { amount, bigAmount, bigRate, card, count, figure, percent, rate, table, whisker } from "./format.js";
import { timePlot } from "./plot.js";
import { plural, t } from "./words.js";

const KINDS = { like: "liked", dislike: "disliked", click: "clicked", buy: "bought", seen: "seen already", skip: "skipped", not_now: "not now" };

export function results(report) {
  const all = report.total;
  if (!all.lists) {
    return [el("p", { class: "empty" }, t("Nobody was shown a list in these days. Lists of sessions, and of requests with a subject, will be here."))];
  }
  const figures = el(
    "div", { class: "figures" },
    figure(bigRate(all.ctr), t("click-through rate"), t("{n} of {all} shown items", { n: count(all.taken), all: count(all.shown) })),
    figure(bigRate(all.conversion), t("conversion"), t("{n} of {all} people liked or bought", { n: count(all.converted), all: count(all.people) })),
    all.income.value ? figure(bigAmount(all.income), t("income per person"), t("value or price of what was bought")) : null,
    figure(percent(all.coverage), t("of the catalog was shown"), plural(all.covered, "{n} item", "{n} items")),
    figure(bigRate(all.new_share), t("of shown items are new"), t("not in the artifact’s data")),
  );
  const kinds = Object.entries(report.kinds).sort((a, b) => b[1] - a[1]);
  const reactions = kinds.length ? t("Of the shown items: {list}.", { list: kinds.map(([k, n]) => `${count(n)} ${t(KINDS[k] ?? k)}`).join(", ") }) : t("No reactions yet.");
  return [
    report.complete ? null : el("p", { class: "note warning" }, t("There are more lists than one report counts: the newest ones are shown.")),
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
    { label: t("Click-through rate"), values: of("ctr", "value"), band: [of("ctr", "low"), of("ctr", "high")], kind: "one", format },
  ];
  return card(t("Click-through rate by day"), timePlot(t("Click-through rate by day, with 95 % intervals"), times(report), series, (x) => percent(x, 0), { days: true, most: ceiling(report.days) }));
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
    { label: t("People"), values: of("people"), kind: "two", bars: true, format: count },
    { label: t("Converted"), values: of("converted"), kind: "one", bars: true, format: count },
  ];
  return card(t("People by day"), timePlot(t("People who were shown a list, and who liked or bought, by day"), times(report), series, count, { days: true }));
}

function arms(report) {
  const highest = Math.max(...report.arms.map((a) => a.conversion.high ?? 0), 0.01);
  const gains = report.arms.filter((a) => a.gain !== null);
  const widest = Math.max(...gains.map((a) => Math.max(Math.abs(a.gain_low), Math.abs(a.gain_high))), 0.01);
  const income = Boolean(report.total.income.value);
  const rows = report.arms.map((a) => [
    el("span", {}, el("strong", {}, a.name), el("small", {}, a.test ? t("A/B test {name}", { name: a.test }) : t("artifact, outside of a test"))),
    count(a.people),
    rate(a.ctr),
    el("span", { class: "drawn" }, rate(a.conversion), whisker(a.conversion, 0, highest)),
    a.gain === null ? "" : el("span", { class: "drawn" }, difference(a), whisker({ value: a.gain, low: a.gain_low, high: a.gain_high }, -widest, widest, 0)),
    ...(income ? [amount(a.income)] : []),
    percent(a.coverage),
    rate(a.new_share, 0),
  ]);
  const columns = [
    [t("Arm"), "wide"], [t("People"), "number"], [t("Click-through"), "number"], [t("Conversion"), "number"],
    [t("Against the control"), "number"], ...(income ? [[t("Income per person"), "number"]] : []), [t("Coverage"), "number"], [t("New items"), "number"],
  ];
  return card(t("By arm"), table(t("By arm"), columns, rows));
}

function difference(a) {
  const points = (x) => `${x > 0 ? "+" : x < 0 ? "−" : ""}${Math.abs(100 * x).toFixed(1)}`;
  return t("{n} points ({low} to {high})", { n: points(a.gain), low: points(a.gain_low), high: points(a.gain_high) });
}

function items(report) {
  const rows = report.items.slice(0, 15).map((i) => [
    el("span", {}, el("strong", {}, i.title || i.item_id), i.title ? null : el("small", {}, t("no longer in the catalog"))),
    count(i.shown), count(i.taken), rate(i.rate, 0),
  ]);
  const columns = [[t("Item"), "wide"], [t("Shown to"), "number"], [t("Taken by"), "number"], [t("Rate"), "number"]];
  return card(t("Most shown items"), table(t("Most shown items"), columns, rows));
}
