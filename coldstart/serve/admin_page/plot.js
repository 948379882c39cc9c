// Plots by uPlot (uplot.js, a global), in the colours of the theme, with a table for who cannot see them.

import { el } from "../page/dom.js";
import { table } from "./format.js";
import { locale, t } from "./words.js";

const drawn = new Set();
const HEIGHT = 220;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour of the theme as the canvas understands it: light-dark() is resolved by an element. */
function resolved(name) {
  const probe = el("span", { class: `probe ${name}` });
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const faint = (rgb, share) => rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${share})`);

/**
 * A plot over time.
 * @param label what it shows, for screen readers
 * @param times seconds since 1970
 * @param series [{label, values, kind: "one"|"two"|"three", band: [lows, highs], bars, format}]
 * @param axis formats the values of the axis
 */
export function timePlot(label, times, series, axis, { days = false, most = null } = {}) {
  if (series.every((s) => s.values.every((v) => v === null))) return el("p", { class: "empty" }, t("Nothing in this time."));
  const frame = el("div", { class: "plot", role: "img", "aria-label": label });
  const rows = times.map((time, i) => [
    moment(time, days),
    ...series.map((s) => (s.values[i] === null ? "–" : s.format(s.values[i]) + bounds(s, i))),
  ]);
  const columns = [[t("Time"), ""], ...series.map((s) => [s.label, "number"])];
  const asTable = el("details", { class: "data" }, el("summary", {}, t("As a table")), table(label, columns, rows.reverse()));
  const draw = () => {
    frame.uplot?.destroy();
    frame.uplot = new window.uPlot(options(times, series, axis, frame.clientWidth || 320, days, most), data(times, series), frame);
  };
  drawn.add({ frame, draw });
  const size = new ResizeObserver(() => {
    if (frame.isConnected && frame.clientWidth && frame.uplot?.width !== frame.clientWidth) draw();
  });
  size.observe(frame);
  return el("div", {}, frame, asTable);
}

/** Draw all plots again, in the colours of another theme. */
export function redraw() {
  for (const plot of drawn) {
    if (plot.frame.isConnected) plot.draw();
    else {
      plot.frame.uplot?.destroy(); // uPlot keeps all others
      drawn.delete(plot);
    }
  }
}

function bounds(s, i) {
  if (!s.band || s.band[0][i] === null) return "";
  return ` (${s.format(s.band[0][i])} – ${s.format(s.band[1][i])})`;
}

function moment(time, days) {
  const at = new Date(1000 * time);
  if (days) return at.toLocaleDateString(locale(), { day: "numeric", month: "short", timeZone: "UTC" });
  return at.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
}

function data(times, series) {
  return [times, ...series.flatMap((s) => (s.band ? [s.values, ...s.band] : [s.values]))];
}

function options(times, series, axis, width, days, most) {
  const soft = resolved("soft");
  const line = resolved("line");
  const all = [{ label: t("Time"), value: (_, time) => (time === null ? "" : moment(time, days)) }];
  const bands = [];
  for (const s of series) {
    const stroke = resolved(s.kind);
    const value = (_, v, at, i) => (v === null || v === undefined ? "–" : s.format(v) + bounds(s, i));
    const points = { show: times.length < 32, size: 6, fill: stroke };
    if (s.bars) {
      all.push({ label: s.label, stroke, fill: faint(stroke, 0.35), value, points: { show: false }, paths: window.uPlot.paths.bars({ size: [0.6, 28] }) });
    } else {
      all.push({ label: s.label, stroke, width: 2, value, points, spanGaps: false });
    }
    if (s.band) {
      const at = all.length;
      const edge = { class: "edge", stroke: "transparent", width: 0, points: { show: false } };
      all.push(edge, edge);
      bands.push({ series: [at + 1, at], fill: faint(stroke, 0.18) });
    }
  }
  const font = `12px ${colour("--font") || "system-ui"}`;
  const common = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  return {
    width, height: HEIGHT, series: all, bands,
    tzDate: (time) => (days ? window.uPlot.tzDate(new Date(1000 * time), "Etc/UTC") : new Date(1000 * time)),
    axes: [
      { ...common, grid: { show: false }, space: 60, values: (_, ticks) => ticks.map((time) => moment(time, days)), incrs: days ? [86400, 2 * 86400, 5 * 86400, 10 * 86400] : undefined },
      { ...common, size: 64, values: (_, ticks) => ticks.map(axis) },
    ],
    scales: { x: { time: true, range: (_, a, b) => (days ? [a - 43200, b + 43200] : [Math.min(a, b - 600), b]) }, y: { range: (_, a, b) => [0, most ?? ((b || 0) > 0 ? 1.1 * b : 1)] } },
    legend: { live: true },
    cursor: { drag: { x: false, y: false } },
  };
}
