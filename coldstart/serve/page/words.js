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
