// "Why this?": the reason in numbers, and how the title was found.

import { el } from "./dom.js";
import { known, t } from "./words.js";

const SMALLEST = 0.005;

export function why(item, open) {
  const { provenance } = item;
  if (!provenance) return null;
  const rows = sums(provenance.groups);
  const most = Math.max(...rows.map(([, x]) => Math.abs(x)), SMALLEST);
  return el(
    "details",
    { open },
    el("summary", {}, t("why"), el("span", { class: "hidden" }, `: ${item.title}`)),
    el("p", { class: "note" }, t("why.parts")),
    el("ul", { class: "parts" }, ...rows.map(([name, x]) => row(name, x, most))),
    el("p", { class: "note" }, t("why.score", { score: signed(item.score) })),
    ...found(provenance).map((text) => el("p", { class: "note" }, text)),
  );
}

/** What each kind of evidence adds, the largest first. */
const sums = (groups) =>
  Object.entries(groups)
    .filter(([, x]) => Math.abs(x) >= SMALLEST)
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));

function row(name, x, most) {
  const bar = el("span", { class: x < 0 ? "fill minus" : "fill", "aria-hidden": "true" });
  bar.style.inlineSize = `${(100 * Math.abs(x)) / most}%`;
  const label = known(`part.${name}`) ? t(`part.${name}`) : name.replace(/^boost:/, "");
  return el("li", {}, el("span", {}, label), el("span", { class: "track" }, bar), el("span", { class: "number" }, signed(x)));
}

/** How the language model came to it, in sentences. */
function found({ generated_text: text, logprob, matched_by: how, similarity }) {
  if (logprob === null || logprob === undefined) return [t("found.none")];
  const chance = Math.exp(logprob);
  const percent = chance < 0.0001 ? "< 0.01" : (100 * chance).toPrecision(2);
  const out = [t("found.logprob", { logprob: signed(logprob), percent })];
  if (text) out.push(t("found.text", { text }));
  if (how) out.push(t(`found.${how}`));
  if (how === "similarity" && similarity !== null && similarity !== undefined) {
    out.push(t("found.close", { similarity: similarity.toFixed(2) }));
  }
  return out;
}

const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);
