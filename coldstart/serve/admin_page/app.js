// The operator's view: reads the reports, and draws each in its section.

import { $, el, say } from "../page/dom.js";
import { kept } from "../page/storage.js";
import { artifacts } from "./artifacts.js";
import { asked } from "./asked.js";
import { catalog } from "./catalog.js";
import { download, read } from "./api.js";
import { count, percent, seconds } from "./format.js";
import { redraw } from "./plot.js";
import { results } from "./results.js";
import { traffic } from "./traffic.js";
import { language, load, preferred, t } from "./words.js";

const SECTIONS = { sentences: asked, engagement: results, traffic, catalog, artifacts };
const IN_DAYS = new Set(["engagement", "catalog"]);
const EVERY_MS = 30_000;

const section = (name) => document.querySelector(`[data-report="${name}"]`);
const days = () => $("days").value;
const found = {};

/** Read a report and draw its section; one that fails says so, and offers to try again. */
async function show(name, told = "") {
  const body = section(name).querySelector(".body");
  body.setAttribute("aria-busy", "true");
  if (!body.children.length) body.append(el("div", { class: "bone" }));
  try {
    found[name] = await read(`v1/admin/report/${name}${IN_DAYS.has(name) ? `?days=${days()}` : ""}`);
    const parts = SECTIONS[name](found[name], (why) => show(name, why));
    const open = [...body.querySelectorAll("details")].map((d) => d.open);
    body.replaceChildren(...(told ? [el("p", { class: "wrong", role: "alert" }, told)] : []), ...parts.filter(Boolean));
    if (!told) body.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? false));
    redraw();
    tiles();
  } catch (problem) {
    body.replaceChildren(
      el("div", { class: "failed", role: "alert" },
        el("p", {}, problem.message),
        el("button", { type: "button", onclick: () => show(name) }, t("Try again"))),
    );
  } finally {
    body.setAttribute("aria-busy", "false");
  }
}

async function showAll() {
  await Promise.all(Object.keys(SECTIONS).map((name) => show(name)));
}

const within = (r, of) => (r.value === null ? t("nothing shown yet") : t("{low} to {high}, {of}", { low: (100 * r.low).toFixed(1), high: percent(r.high), of }));

/** One figure of each section, leading to it. */
function tiles() {
  const { sentences: s, engagement: e, traffic: x, catalog: c, artifacts: a } = found;
  const ends = (end) => x?.routes.find((r) => r.route.endsWith(end));
  const lists = ends("/rows") ?? ends("/recommendations") ?? ends("/recommend");
  const refused = x && Object.values(x.refusals).reduce((n, more) => n + more, 0);
  const gaps = c?.checks.find((one) => ["never shown", "not in the newest lists"].includes(one.check));
  const served = a?.artifacts.filter((one) => one.share);
  const all = [
    ["asked", t("Not understood"), s && (s.sentences ? percent((s.partly + s.nothing) / s.sentences, 0) : "–"), s && t("of {n} sentences, in part or at all", { n: count(s.sentences) })],
    ["results", t("Click-through"), e && percent(e.total.ctr.value), e && within(e.total.ctr, t("of {n} shown items", { n: count(e.total.shown) }))],
    ["results", t("Conversion"), e && percent(e.total.conversion.value), e && within(e.total.conversion, t("of {n} people", { n: count(e.total.people) }))],
    ["traffic", t("Lists take"), x && seconds(lists?.p50), x && (lists ? t("95 % within {s}", { s: seconds(lists.p95) }) : t("none asked for yet"))],
    ["traffic", t("Refused"), x && count(refused), x && t("of {n} requests", { n: count(x.requests) })],
    ["catalog", c?.complete === false ? t("Not in the newest lists") : t("Never shown"), gaps && percent(gaps.share, 0), c && t("of {n} items", { n: count(c.items) })],
    ["artifacts", t("Served"), served && served.map((one) => one.name).join(", "), a && (a.experiment ? t("A/B test") : a.release ? t("Release {n}", { n: a.release }) : t("as started"))],
  ];
  $("tiles").replaceChildren(
    ...all.map(([where, name, value, note]) =>
      el("li", {}, el("a", { href: `#${where}` }, el("span", {}, name), el("strong", { class: where === "artifacts" ? "text" : null }, value ?? "…"), el("small", {}, note ?? "")))),
  );
}

function theme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const chosen = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  const other = chosen === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = other;
  kept.set("theme", other);
  name();
  redraw();
}

function name() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const chosen = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  $("theme").textContent = chosen === "dark" ? t("Light") : t("Dark");
}

/** All that is shown, in another language. */
async function speak(wanted) {
  await load(wanted);
  $("language").textContent = language === "zh" ? "English" : "中文";
  $("language").lang = language === "zh" ? "en" : "zh-Hans";
  name();
}

async function translate() {
  const other = language === "zh" ? "en" : "zh";
  kept.set("language", other);
  await speak(other);
  await showAll();
}

async function save(button) {
  $("export").open = false;
  $("export").querySelector("summary").focus();
  say(t("Making the file."));
  try {
    await download(`v1/admin/report/export?format=${button.dataset.format}&days=${days()}`);
    say(t("The file is saved."));
  } catch (problem) {
    say(problem.message);
  }
}

/** Follow the hash: the section is scrolled to and its tab marked. */
function follow() {
  const at = location.hash.slice(1);
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash.slice(1) === at) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  const head = at && document.querySelector(`#${CSS.escape(at)} h2`);
  if (head) head.focus({ preventScroll: true });
}

$("days").addEventListener("change", () => IN_DAYS.forEach((report) => show(report)));
$("refresh").addEventListener("click", showAll);
$("theme").addEventListener("click", theme);
$("language").addEventListener("click", translate);
$("export").addEventListener("click", (event) => event.target.dataset.format && save(event.target));
$("export").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  $("export").open = false;
  $("export").querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (!$("export").contains(event.target)) $("export").open = false;
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (name(), redraw()));
addEventListener("hashchange", follow);
setInterval(() => !document.hidden && found.traffic && show("traffic"), EVERY_MS);
await speak(preferred());
tiles();
showAll().then(() => {
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
  follow();
});
