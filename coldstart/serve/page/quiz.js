// Beside the search: titles whose answer tells most about a taste, among what was asked for.

import { ask } from "./ask.js";
import { $, animate, el, say } from "./dom.js";
import { icon } from "./icons.js";
import { facts } from "./card.js";
import { face } from "./poster.js";
import { t } from "./words.js";

const AT_A_TIME = 6;
const MOST = 60; // questions that may be open at once

/** @param think called with (item, opinion, question) */
export function quizOf(who, think) {
  let cards = [], passed = new Set();

  /** Fetch titles that were not shown before; those that were tapped stay until others are wanted. */
  async function next({ others = false } = {}) {
    if (others) for (const one of cards) passed.add(one.item_id);
    await who.begin();
    await who.settled();
    if (!cards.length) $("quiz").replaceChildren(...Array.from({ length: AT_A_TIME }, () => el("li", { class: "card" }, el("span", { class: "bone poster" }))));
    const known = new Set(who.said.opinions.map((one) => one.item_id));
    const n = Math.min(MOST, passed.size + AT_A_TIME);
    const { questions, items } = await ask(who.path(`/questions?n=${n}`));
    const about = new Map(items.map((item) => [item.item_id, item]));
    const found = questions.filter((q) => q.kind === "item" && about.has(q.items[0])).map((q) => ({ ...about.get(q.items[0]), question: q.question_id }));
    cards = found.filter((item) => !passed.has(item.item_id) && !known.has(item.item_id)).slice(0, AT_A_TIME);
    $("others").disabled = cards.length === 0;
    redraw();
    if (others) say(cards.length ? t("quiz.shown", { n: cards.length }) : t("quiz.end"));
    for (const li of $("quiz").children) animate(li, [{ opacity: 0 }, { opacity: 1 }]);
  }

  function redraw() {
    const opinion = new Map(who.said.opinions.map((one) => [one.item_id, one.opinion]));
    const focused = document.activeElement?.dataset.key;
    $("quiz").replaceChildren(...cards.map((item) => draw(item, opinion.get(item.item_id))));
    if (!cards.length) $("quiz").append(el("li", { class: "note" }, t("quiz.end")));
    if (focused) $("quiz").querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  function draw(item, opinion) {
    const button = (kind) =>
      el("button", { type: "button", class: `icon ${kind}`, "data-key": `${kind}-${item.item_id}`, title: t(kind), "aria-pressed": String(opinion === kind),
        "aria-label": t("about.item", { what: t(kind), title: item.title }), onclick: () => think(item, opinion === kind ? "forget" : kind, item.question) }, icon(kind));
    return el("li", { class: "card", "data-opinion": opinion ?? null }, face(item, { heading: "h4" }), el("p", { class: "facts" }, facts(item, { drawn: !item.image })),
      el("div", { class: "doing" }, button("like"), button("dislike")));
  }

  function reset() {
    cards = [];
    passed = new Set();
    $("quiz").replaceChildren();
  }

  return { next, redraw, reset, shown: () => cards.length > 0 };
}
