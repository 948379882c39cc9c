// The second step: titles that tell most about a taste; tap what you like.

import { ask } from "./ask.js";
import { $, animate, el, hidden, say } from "./dom.js";
import * as opinions from "./opinions.js";
import { path, send } from "./session.js";
import { joined, t, value } from "./words.js";

const AT_A_TIME = 12;
const MOST = 100; // questions that may be open at once
let cards = []; // {question_id, item_id, title, year, categories, opinion}
let passed = new Set(); // questions that were shown
let answered = new Set(); // those that are open no longer

export const empty = () => cards.length === 0;

export function reset() {
  cards = [];
  passed = new Set();
  answered = new Set();
}

/** Fetch titles that were not shown before, and show them. */
export async function next() {
  for (const card of cards) passed.add(card.question_id);
  $("cards").setAttribute("aria-busy", "true");
  if (empty()) $("cards").replaceChildren(...Array.from({ length: AT_A_TIME }, () => el("li", { class: "card bone" })));
  try {
    const open = [...passed].filter((id) => !answered.has(id));
    const n = Math.min(MOST, open.length + AT_A_TIME);
    const { questions, items } = await ask(path(`/questions?n=${n}`));
    const about = new Map(items.map((item) => [item.item_id, item]));
    const found = questions
      .filter((q) => q.kind === "item" && !passed.has(q.question_id) && about.has(q.items[0]))
      .map((q) => ({ question_id: q.question_id, ...about.get(q.items[0]), opinion: null }));
    if (found.length) cards = found.slice(0, AT_A_TIME);
    say(found.length ? t("taste.shown", { n: cards.length }) : t("taste.end"));
    $("others").disabled = found.length === 0;
  } finally {
    $("cards").setAttribute("aria-busy", "false");
    redraw();
  }
  for (const card of $("cards").children) animate(card, [{ opacity: 0 }, { opacity: 1 }]);
}

export function redraw() {
  $("cards").replaceChildren(...cards.map(draw));
  count();
}

function draw(card) {
  const id = `card-${card.item_id}`;
  const button = (opinion) =>
    el(
      "button",
      {
        type: "button",
        class: opinion,
        "aria-pressed": String(card.opinion === opinion),
        onclick: (event) => event.detail < 2 && choose(card, opinion),
      },
      t(opinion),
      hidden(`: ${card.title}`),
    );
  return el(
    "li",
    { class: "card", id, "data-opinion": card.opinion },
    el("h3", {}, card.title),
    el("p", { class: "note" }, [card.year, joined(card.categories.map(value))].filter(Boolean).join(" · ")),
    el("div", { class: "actions" }, button("like"), button("dislike")),
  );
}

/** Take up an opinion, or take it back. */
function choose(card, opinion) {
  card.opinion = card.opinion === opinion ? null : opinion;
  answered.add(card.question_id);
  const shown = $(`card-${card.item_id}`);
  shown.toggleAttribute("data-opinion", false);
  if (card.opinion) shown.dataset.opinion = card.opinion;
  for (const button of shown.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.classList.contains(card.opinion ?? "none")));
  }
  if (card.opinion) opinions.note(card.item_id, card.title, card.opinion);
  else opinions.drop(card.item_id);
  count();
  const answer = { question_id: card.question_id, answer: card.opinion ?? "unknown" };
  send("/answers", answer).catch(() => {});
}

function count() {
  const n = opinions.size();
  $("count").textContent = n ? t(n === 1 ? "taste.one" : "taste.count", { n }) : "";
}
