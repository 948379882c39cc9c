// Every word of the page, in the language of the person and in the terms of the catalog.

import { sleep } from "./dom.js";
import { kept } from "./storage.js";

const LANGUAGES = ["en", "zh"];
let words = {};
export let language = "en";
export let purpose = "library"; // what the catalog is for: "shop", "films" or "library"

export function useCatalog(what) {
  purpose = what;
  apply();
}

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

/** The words for `key`, those for this kind of catalog first, with `{name}` filled in. */
export function t(key, values = {}) {
  const text = words[`${key}.${purpose}`] ?? words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/** A value of the data, such as an occupation or a genre: translated if it is a known one. */
export const value = (raw) => words[`v.${raw.toLowerCase()}`] ?? raw;

export const known = (key) => key in words;

/** A price as people of this language write it; without a currency, the number alone. */
export function money(price, currency) {
  const form = { minimumFractionDigits: Number.isInteger(price) ? 0 : 2, maximumFractionDigits: 2 };
  try {
    if (currency) return new Intl.NumberFormat(language, { ...form, style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(price);
  } catch {
    return `${price} ${currency}`; // no code of a currency
  }
  return new Intl.NumberFormat(language, form).format(price);
}

function apply() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  document.title = t("title");
}
