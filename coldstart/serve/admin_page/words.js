// English stands in the code; another language has a sentence for each of its sentences.

import { kept } from "../page/storage.js";

const LANGUAGES = ["en", "zh"];
let words = {};
export let language = "en";

/** The language that was chosen, on either page, or that of the browser. */
export function preferred() {
  const wanted = [kept.get("language"), ...(navigator.languages ?? [navigator.language])];
  const short = wanted.map((x) => (x ?? "").toLowerCase().split("-")[0]);
  return short.find((x) => LANGUAGES.includes(x)) ?? "en";
}

/** Without the words of a language the page stays in English. */
export async function load(wanted) {
  const answer = wanted === "en" ? null : await fetch(`admin/words.${wanted}.json`).catch(() => null);
  words = answer?.ok ? await answer.json() : {};
  language = answer?.ok ? wanted : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const node of document.querySelectorAll("[data-t]")) {
    node.dataset.t ||= node.textContent;
    node.textContent = t(node.dataset.t);
  }
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  document.title = `coldstart: ${t("Operator’s view")}`;
}

/** A sentence in the language of the operator, with `{name}` filled in. */
export function t(text, values = {}) {
  return (words[text] ?? text).replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

export const locale = () => (language === "zh" ? "zh-CN" : "en-GB");

/** "1 person", "2 people": `one` and `many` have a place for {n}. */
export const plural = (n, one, many) => t(n === 1 ? one : many, { n: n.toLocaleString(locale()) });

export const moment = (at, form) => new Date(at).toLocaleString(locale(), form);
