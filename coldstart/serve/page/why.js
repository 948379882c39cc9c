// "Why?": the reason in words and shares; figures for experts behind another click.

import { $, el } from "./dom.js";
import { stamp } from "./poster.js";
import { facts } from "./card.js";
import { known, t } from "./words.js";

const SMALLEST = 0.005;

/** Open the dialog about one card; closing it gives the focus back. */
export function why(item, row) {
  const dialog = $("why"), back = document.activeElement;
  dialog.replaceChildren(
    el("div", { class: "about" }, stamp(item),
      el("div", {}, el("h2", { id: "h-why", tabindex: -1 }, t("why.heading", { title: item.title })), el("p", { class: "facts" }, facts(item))),
    ),
    el("p", { class: "because" }, item.reason),
    ...shares(item),
    row?.rule ? el("p", { class: "note" }, t("why.row", { row: row.title, rule: row.rule })) : "",
    experts(item) ?? "",
    el("div", { class: "actions" }, el("button", { type: "button", class: "main", onclick: () => dialog.close() }, t("close"))),
  );
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  };
  dialog.onclose = () => back?.isConnected && back.focus({ preventScroll: true });
  dialog.showModal();
  $("h-why").focus();
}

/** What lifted it, the largest share first; the shares are of all that speaks for it. */
function shares(item) {
  const parts = [...(item.why ?? [])].sort((a, b) => b.share - a.share);
  if (!parts.length) return [];
  return [el("h3", {}, t("why.parts")), el("ul", { class: "shares" }, ...parts.map((part) => {
    const bar = el("span", { class: "fill" });
    bar.style.inlineSize = `${100 * part.share}%`;
    return el("li", {},
      el("span", {}, label(part.name)), el("span", { class: "number" }, percent(part.share)),
      el("span", { class: "track", "aria-hidden": "true" }, bar),
      part.text ? el("span", { class: "note" }, part.text) : null);
  }))];
}

const label = (name) => (known(`part.${name}`) ? t(`part.${name}`) : name.replace(/^boost:/, ""));
const percent = (x) => (x > 0 && x < 0.01 ? "< 1 %" : `${Math.round(100 * x)} %`);

function experts(item) {
  const { provenance } = item;
  if (!provenance) return null;
  const sums = Object.entries(provenance.groups).filter(([, x]) => Math.abs(x) >= SMALLEST).sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  return el("details", { class: "experts" },
    el("summary", {}, t("why.experts")),
    el("p", { class: "note" }, t("why.points")),
    el("dl", { class: "figures" }, ...sums.flatMap(([name, x]) => [el("dt", {}, label(name)), el("dd", { class: "number" }, signed(x))]),
      el("dt", {}, t("why.score")), el("dd", { class: "number" }, signed(item.score))),
    ...found(provenance).map((text) => el("p", { class: "note" }, text)));
}

/** How the language model came to it, in sentences. */
function found({ generated_text: text, logprob, matched_by: how, similarity }) {
  if (logprob === null || logprob === undefined) return [t("found.none")];
  const chance = Math.exp(logprob);
  const out = [t("found.logprob", { logprob: signed(logprob), percent: chance < 0.0001 ? "< 0.01" : (100 * chance).toPrecision(2) })];
  if (text) out.push(t("found.text", { text }));
  if (how) out.push(t(`found.${how}`));
  if (how === "similarity" && similarity !== null && similarity !== undefined) out.push(t("found.close", { similarity: similarity.toFixed(2) }));
  return out;
}

const signed = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);
