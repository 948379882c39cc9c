// Latency, load and refusals of the process.

import { el } from "../page/dom.js";
import { bar, card, count, figure, seconds, table } from "./format.js";
import { timePlot } from "./plot.js";
import { moment, plural, t } from "./words.js";

export function traffic(report) {
  const refused = Object.values(report.refusals).reduce((a, b) => a + b, 0);
  const failed = report.routes.reduce((a, r) => a + r.failed, 0);
  const figures = el(
    "div", { class: "figures" },
    figure(count(report.requests), t("requests"), t("since {time}", { time: moment(report.started, { dateStyle: "medium", timeStyle: "short" }) })),
    figure(count(refused), t("refused"), refused ? t("busy, or not allowed") : t("none")),
    figure(count(failed), t("failed"), t("HTTP 500 and above")),
    figure(count(report.waiting), t("waiting now"), report.wait_p95 === null ? null : t("95 % waited at most {s}", { s: seconds(report.wait_p95) })),
  );
  const at = report.history.map((s) => Date.parse(s.at) / 1000);
  const of = (key) => report.history.map((s) => s[key]);
  const latency = timePlot(
    t("Latency of lists over the last hours, median and 95th percentile"), at,
    [
      { label: t("Median"), values: of("p50"), kind: "one", format: seconds },
      { label: t("95th percentile"), values: of("p95"), kind: "two", format: seconds },
    ],
    seconds,
  );
  const perSecond = (x) => (x === 0 ? "0" : x < 1 ? x.toFixed(2) : x.toFixed(1));
  const load = timePlot(
    t("Requests and refusals per second over the last hours"), at,
    [
      { label: t("Requests/s"), values: of("requests"), kind: "two", format: perSecond },
      { label: t("Refused/s"), values: of("refused"), kind: "three", format: perSecond },
    ],
    perSecond,
  );
  return [figures, el("div", { class: "two" }, card(t("Latency of lists"), latency), card(t("Load"), load)), el("div", { class: "two" }, routes(report), refusals(report, refused))];
}

function routes(report) {
  const served = report.routes.filter((r) => r.route.startsWith("/v1/") && !r.route.startsWith("/v1/admin/report"));
  const others = report.routes.reduce((n, r) => n + r.requests, 0) - served.reduce((n, r) => n + r.requests, 0);
  const rows = served.slice(0, 20).map((r) => [
    el("code", {}, r.route), count(r.requests), seconds(r.p50), seconds(r.p95), seconds(r.p99), r.failed ? count(r.failed) : "",
  ]);
  const columns = [[t("Route"), "wide"], [t("Requests"), "number"], ["p50", "number"], ["p95", "number"], ["p99", "number"], [t("Failed"), "number"]];
  return card(
    t("By route"),
    table(t("Latency by route"), columns, rows, { empty: t("No request to the API yet.") }),
    el("p", { class: "note" }, plural(others, "Besides, {n} request for pages, health, metrics and this view.", "Besides, {n} requests for pages, health, metrics and this view.")),
  );
}

function refusals(report, total) {
  const rows = Object.entries(report.refusals).sort((a, b) => b[1] - a[1]).map(([reason, n]) => [
    el("code", {}, reason), el("span", { class: "drawn" }, plural(n, "{n} request", "{n} requests"), bar(n / total, "warn")),
  ]);
  return card(t("Refusals by reason"), table(t("Refusals by reason"), [[t("Reason"), "wide"], [t("Requests"), "number"]], rows, { empty: t("Nothing was refused.") }));
}
