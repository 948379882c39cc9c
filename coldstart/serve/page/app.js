// Puts the parts together: steps, language, theme, and what a person does with their data.

import { Problem } from "./api.js";
import { ask, clear, whenGone } from "./ask.js";
import * as cards from "./cards.js";
import { $, say } from "./dom.js";
import * as list from "./list.js";
import * as opinions from "./opinions.js";
import * as profile from "./profile.js";
import * as session from "./session.js";
import { kept } from "./storage.js";
import { joined, language, load, preferred, t, value } from "./words.js";

const STEPS = ["you", "taste", "list"];
let understood = null;

// -- steps -----------------------------------------------------------------------------------

const step = () => (STEPS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "you");

/** Show the step that the address names. */
function show() {
  const here = step();
  for (const name of STEPS) {
    $(`step-${name}`).hidden = name !== here;
    const link = document.querySelector(`.steps a[href="#${name}"]`);
    if (name === here) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  return here;
}

/** Show it, and fetch what it needs. */
async function enter({ focus = true } = {}) {
  const here = show();
  if (focus) {
    $(`h-${here}`).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  list.cancel();
  if (here === "you") return;
  if (!session.begun() && !profile.check()) return go("you");
  await session.begin(profile.read());
  lock();
  if (here !== step()) return;
  if (here === "taste" && cards.empty()) await cards.next();
  if (here === "list") list.refresh(0);
}

function go(to) {
  if (step() === to) return enter();
  location.hash = to;
}

/** What was said at the beginning stands once a visit has begun. */
function lock() {
  for (const control of $("profile").elements) control.disabled = session.begun();
  const next = $("profile").querySelector("[type=submit]");
  next.disabled = false;
  $("skip-you").hidden = session.begun();
  $("locked").hidden = !session.begun();
}

/** Forget the visit here, and begin again. */
function restart() {
  session.forget();
  understood = null;
  for (const part of [profile, cards, list, opinions]) part.reset();
  $("say").reset();
  $("diversity").value = "0";
  redraw();
  lock();
  go("you");
}

const quietly = (work) => work.catch((error) => {
  if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
});

// -- words and colours -----------------------------------------------------------------------

const THEMES = { light: "dark", dark: "light" };

function theme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return document.documentElement.dataset.theme ?? system;
}

function redraw() {
  $("language").textContent = language === "en" ? "中文" : "English";
  $("language").lang = language === "en" ? "zh-Hans" : "en";
  $("theme").textContent = t(`theme.${THEMES[theme()]}`);
  $("diversity-value").textContent = Number($("diversity").value).toFixed(1);
  $("diversity").setAttribute("aria-valuetext", Number($("diversity").value).toFixed(1));
  $("understood").textContent = understood ? sentence(understood) : "";
  profile.redraw();
  cards.redraw();
  opinions.redraw();
  list.redraw({ anew: true });
  lock();
}

/** What a text was read as. */
function sentence(read) {
  const pieces = (kinds, wanted) => read.pieces.filter((p) => kinds.includes(p.kind) && p.wanted === wanted);
  const moods = new Set(pieces(["tone"], true).concat(pieces(["tone"], false)).map((p) => p.start));
  const words = new Set(pieces(["term", "type"], true).concat(pieces(["term", "type"], false)).map((p) => p.start));
  const beside = (p) => ["category", "attribute"].includes(p.kind) && words.has(p.start);
  const people = new Set(pieces(["audience"], true).map((p) => p.start));
  const implied = (p) => p.kind === "category" && !p.wanted && people.has(p.start); // "for my son": nothing for pets
  const shown = (p) => p.kind === "tone" || !(moods.has(p.start) || beside(p) || implied(p)); // these stand for others
  const named = (p) => (["category", "tone"].includes(p.kind) ? value(p.value) : (read.titles[p.value] ?? p.value));
  const all = (kinds, wanted) => [...new Set(pieces(kinds, wanted).filter(shown).map(named))];
  const topics = ["category", "person", "attribute", "tone", "term", "type"];
  const parts = [
    ["wanted", all(topics, true)],
    ["unwanted", all(topics, false)],
    ["liked", all(["title"], true)],
    ["disliked", all(["title"], false)],
    ["years", pieces(["years"], true).map((p) => t("read.span", { first: p.first ?? "…", last: p.last ?? "…" }))],
    ["audience", pieces(["audience"], true).map((p) => (p.value === "adult" ? t("read.adult") : t("read.age", { age: p.age ?? p.value })))],
    ["price", pieces(["price"], true).map(cost)],
  ].filter(([, values]) => values.length);
  if (!parts.length) return t("read.nothing");
  return t("read", { parts: parts.map(([name, values]) => t(`read.${name}`, { what: joined(values) })).join(t("semicolon")) });
}

/** A span of prices, such as "≤ 20" and "30–50". */
function cost(piece) {
  if (piece.low === null && piece.high === null) return t(`read.price.${piece.value}`);
  if (piece.low === null) return `≤ ${piece.high}`;
  return piece.high === null ? `≥ ${piece.low}` : `${piece.low}–${piece.high}`;
}

// -- what a person does ----------------------------------------------------------------------

$("profile").addEventListener("submit", (event) => {
  event.preventDefault();
  if (profile.check()) go("taste");
});
$("skip-you").addEventListener("click", () => {
  profile.reset();
  go("taste");
});
$("to-list").addEventListener("click", () => go("list"));
$("others").addEventListener("click", () => quietly(cards.next().then(() => $("h-taste").focus())));
addEventListener("hashchange", () => quietly(enter()));

$("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("words").value.trim();
  if (!text) return $("words").focus();
  const button = $("say").querySelector("button");
  if (button.getAttribute("aria-disabled")) return;
  button.setAttribute("aria-disabled", "true");
  try {
    understood = (await session.send("/text", { text })).understood;
    $("understood").textContent = sentence(understood);
    $("words").value = "";
    list.refresh();
  } catch {
    $("words").focus(); // the notice says why
  } finally {
    button.removeAttribute("aria-disabled");
  }
});
$("words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("say").requestSubmit();
});
$("diversity").addEventListener("input", () => {
  const shown = Number($("diversity").value).toFixed(1);
  $("diversity-value").textContent = shown;
  $("diversity").setAttribute("aria-valuetext", shown);
  list.refresh();
});

$("export").addEventListener("click", () => quietly(download()));
async function download() {
  const data = await ask(session.path());
  const link = document.createElement("a");
  const blob = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
  link.href = URL.createObjectURL(blob);
  link.download = "coldstart.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  say(t("data.exported"));
}

$("erase").addEventListener("click", () => $("confirm").showModal());
$("erase-no").addEventListener("click", () => $("confirm").close());
$("erase-yes").addEventListener("click", () => {
  $("confirm").close();
  list.cancel();
  quietly(session.erase().then(() => {
    restart();
    say(t("erased"));
  }));
});
whenGone(restart);
opinions.whenChanged(() => list.refresh());

$("language").addEventListener("click", async () => {
  const next = language === "en" ? "zh" : "en";
  await load(next);
  kept.set("language", next);
  clear();
  redraw();
  if (session.begun() && step() === "list") list.refresh(0); // its reasons, in this language
});
$("theme").addEventListener("click", () => {
  const next = THEMES[theme()];
  document.documentElement.dataset.theme = next;
  kept.set("theme", next);
  redraw();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

// -- begin -----------------------------------------------------------------------------------

async function start() {
  await load(preferred());
  redraw();
  show();
  const form = await ask("v1/sessions");
  profile.show(form);
  list.useStrategy(form.strategy);
  lock();
  await enter({ focus: false });
  if (session.begun()) await opinions.restore();
}

quietly(start());
