// A card: face, facts, one line about the item, one reason, and what can be done with it.

import { el, hidden } from "./dom.js";
import { icon } from "./icons.js";
import { face } from "./poster.js";
import { why } from "./why.js";
import { language, money, purpose, t, value } from "./words.js";

export const OPINIONS = ["like", "dislike", "seen"];

/** @param tap called with (item, opinion); `shows` of the card, [item, row], is what "Why?" tells of */
export function card(item, row, tap, { mark = null, heading = "h3" } = {}) {
  const button = (opinion) =>
    el("button", { type: "button", class: `icon ${opinion}`, title: t(opinion), "aria-label": t("about.item", { what: t(opinion), title: item.title }), onclick: () => tap(item, opinion) }, icon(opinion));
  const li = el("li", { class: "card", "data-item": item.item_id, "data-made": made(item, mark) },
    face(item, { heading }),
    mark ? el("p", { class: "mark" }, mark) : null,
    el("p", { class: "facts" }, facts(item, { drawn: !item.image })),
    item.description ? el("p", { class: "line" }, item.description) : null,
    el("p", { class: "reason", lang: item.language === language ? null : item.language }, item.reason),
    el("div", { class: "doing" },
      el("button", { type: "button", class: "quiet why", onclick: () => why(...li.shows) }, t("why"), hidden(` ${item.title}`)),
      ...OPINIONS.map(button)));
  li.shows = [item, row];
  return li;
}

export const made = (item, mark) => JSON.stringify([item.title, item.reason, item.description, item.price, mark, language]);

/** Such as "Comedy · Drama · 1995" or "€34.95 · Wooden Toys".
 *
 * @param drawn whether a drawn poster beside it already says the first kind and the year
 */
export function facts(item, { drawn = false } = {}) {
  const kinds = (item.categories ?? []).map(value);
  const price = item.price === null || item.price === undefined ? null : money(item.price, item.currency);
  const parts = purpose === "shop" ? [price, kinds.at(-1)] : drawn ? [...kinds.slice(1, 3), price] : [...kinds.slice(0, 2), item.year, price];
  return parts.filter((x) => x !== null && x !== undefined && x !== "").join(" · ");
}
