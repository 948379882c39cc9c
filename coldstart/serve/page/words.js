// Every word of the page, in the language of the person.

import { sleep } from "./dom.js";
import { kept } from "./storage.js";

const LANGUAGES = ["en", "zh"];
let words = {};
export let language = "en";

/** The words chosen before, or those of the browser. */
export function preferred() {
  const wanted = [kept.get("language"), ...(navigator.languages ?? [navigator.language])];
  const short = wanted.map((x) => (x ?? "").toLowerCase().split("-")[0]);
  return short.find((x) => LANGUAGES.includes(x)) ?? "en";
}

export async function load(wanted) {
  words = await fetched(`page/words.${wanted}.json`);
  language = wanted;
  document.documentElement.lang = wanted === "zh" ? "zh-Hans" : "en";
  apply();
}

/** Without words nothing can be told: try until they come. */
async function fetched(path) {
  for (;;) {
    const answer = await fetch(path).catch(() => null);
    if (answer?.ok) return answer.json();
    await sleep(2000);
  }
}

/** The words for `key`, with `{name}` filled in. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/** A value of the data, such as an occupation or a genre: translated if it is a known one. */
export const value = (raw) => words[`v.${raw.toLowerCase()}`] ?? raw;

export const known = (key) => key in words;

export const joined = (values) => values.join(t("comma"));

/** A reason of the service, in English, translated where its form is known; `lang` if it is not. */
export function reason(text) {
  if (language === "en") return { text, lang: null };
  for (const [from, to] of words.after) {
    const found = new RegExp(`^(.+\\.) ${from}\\.$`).exec(text);
    const before = found && sentence(found[1]);
    if (before) return { text: `${before}${filled(to, found.slice(2))}。`, lang: null };
  }
  const said = sentence(text);
  return said ? { text: said, lang: null } : { text, lang: "en" };
}

/** One or two statements, "this, and that."; a title may hold ", and " itself. */
function sentence(text) {
  const second = words.reasons.map(([from]) => from).join("|");
  for (const [from, to] of words.reasons) {
    const found = new RegExp(`^${from}(?:, and (${second}))?\\.$`, "i").exec(text);
    if (!found) continue;
    const own = found.slice(1, 1 + holes(from)), rest = found[1 + holes(from)];
    return [filled(to, own), rest && statement(rest)].filter(Boolean).join("；") + "。";
  }
  return null;
}

function statement(text) {
  for (const [from, to] of words.reasons) {
    const found = new RegExp(`^${from}$`, "i").exec(text);
    if (found) return filled(to, found.slice(1));
  }
  return text;
}

const holes = (from) => new RegExp(`${from}|`).exec("").length - 1;

function filled(to, groups) {
  return to.replace(/\$(\d)(l?)/g, (_, n, list) => {
    const raw = groups[n - 1] ?? "";
    return list ? joined(raw.split(/, | and /).map((x) => group(x))) : raw;
  });
}

function group(text) {
  for (const [from, to] of words.groups) {
    const found = new RegExp(`^${from}$`).exec(text);
    if (found) return to.replace("$1", () => value(found[1] ?? ""));
  }
  return value(text);
}

function apply() {
  for (const node of document.querySelectorAll("[data-t]")) {
    node.textContent = t(node.dataset.t);
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", t(node.dataset.label));
  }
  for (const node of document.querySelectorAll("[data-hint]")) {
    node.setAttribute("placeholder", t(node.dataset.hint));
  }
  document.title = t("title");
}
