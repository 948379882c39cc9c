// Numbers, intervals, and the small parts that several sections are made of.

import { el } from "../page/dom.js";
import { locale, t } from "./words.js";

export const count = (n) => n.toLocaleString(locale());

export function percent(x, digits = 1) {
  return x === null || x === undefined ? "–" : `${(100 * x).toFixed(digits)} %`;
}

/** "6.2 % (4.1–8.9)" */
export function rate(r, digits = 1) {
  if (r.value === null) return "–";
  return `${percent(r.value, digits)} (${(100 * r.low).toFixed(digits)}–${(100 * r.high).toFixed(digits)})`;
}

/** The same as a big number with its interval beside it, or below. */
export const bigRate = (r, digits = 1) =>
  r.value === null ? "–" : el("span", {}, percent(r.value, digits), " ", el("small", { class: "interval" }, `${(100 * r.low).toFixed(digits)}–${percent(r.high, digits)}`));

/** An amount per person with its interval, if that is known; the catalog tells no currency. */
export const amount = (a) => (a.value === null ? "–" : a.low === null ? a.value.toFixed(2) : `${a.value.toFixed(2)} (${between(a)})`);

export const bigAmount = (a) => el("span", {}, a.value.toFixed(2), " ", a.low === null ? null : el("small", { class: "interval" }, between(a)));

const between = (a) => `${a.low.toFixed(2)}–${a.high.toFixed(2)}`;

export function seconds(s) {
  if (s === null || s === undefined) return "–";
  return s < 1 ? `${Math.round(1000 * s)} ms` : `${s.toFixed(s < 10 ? 1 : 0)} s`;
}

/** A table in a frame of its own, which scrolls sideways where it must. */
export function table(label, columns, rows, { empty = t("Nothing yet."), tall = false } = {}) {
  if (!rows.length) return el("p", { class: "empty" }, empty);
  const head = columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name));
  const body = rows.map((cells) =>
    el("tr", {}, ...cells.map((cell, i) => el(i ? "td" : "th", { class: columns[i][1], scope: i ? null : "row" }, cell ?? ""))),
  );
  return el(
    "div",
    { class: tall ? "scroll tall" : "scroll", role: "region", "aria-label": label, tabindex: "0" },
    el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body)),
  );
}

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A bar from 0 to `share` of its width. */
export function bar(share, kind = "") {
  const width = Math.max(0, Math.min(100, 100 * share));
  return svg(
    "svg",
    { class: `bar ${kind}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "rail", width: 100, height: 8, rx: 0 }),
    svg("rect", { class: "fill", width, height: 8 }),
  );
}

/** Parts of a whole beside one another: [[share, class], …]. */
export function stack(parts) {
  let at = 0;
  const drawn = parts.map(([share, kind]) => {
    const rect = svg("rect", { class: kind, x: 100 * at, width: 100 * share, height: 8 });
    at += share;
    return rect;
  });
  return svg("svg", { class: "bar stack", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, ...drawn);
}

/** An interval on a scale from `low` to `high`, with its value, and a line at `zero`. */
export function whisker(r, low, high, zero = null) {
  if (r.value === null) return "";
  const at = (x) => (100 * (Math.min(Math.max(x, low), high) - low)) / (high - low || 1);
  const marks = zero === null ? [] : [svg("line", { class: "zero", x1: at(zero), x2: at(zero), y1: 0, y2: 16 })];
  return svg(
    "svg",
    { class: "whisker", viewBox: "0 0 100 16", preserveAspectRatio: "none", "aria-hidden": "true" },
    ...marks,
    svg("line", { class: "range", x1: at(r.low), x2: at(r.high), y1: 8, y2: 8 }),
    svg("line", { class: "value", x1: at(r.value), x2: at(r.value), y1: 2, y2: 14 }),
  );
}

export const card = (title, ...children) => el("div", { class: "card" }, el("h3", {}, title), ...children);

export function figure(value, label, note) {
  return el("div", { class: "figure" }, el("strong", {}, value), el("span", {}, label), note ? el("small", {}, note) : null);
}
