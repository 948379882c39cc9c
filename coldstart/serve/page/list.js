// The third step: the list, asked for anew after everything that is said or tapped.

import { Problem } from "./api.js";
import { ask } from "./ask.js";
import { $, animate, el, hidden, say } from "./dom.js";
import * as opinions from "./opinions.js";
import { path, send } from "./session.js";
import { why } from "./why.js";
import { language, t } from "./words.js";

const SIZE = 10;
const TOGETHER_MS = 250; // taps that come closer than this are one request
let items = null; // none before the first answer
let strategy = "catalog";
let turn = 0, stop = null, timer = null;
let focus = null; // where to go on after the item that was tapped is gone

export const useStrategy = (name) => (strategy = name);

export function reset() {
  cancel();
  items = null;
  $("items").replaceChildren();
}

export function cancel() {
  clearTimeout(timer);
  stop?.abort();
  turn += 1;
}

/** Ask for the list soon; an answer that is overtaken by a later request is thrown away. */
export function refresh(delay = TOGETHER_MS) {
  clearTimeout(timer);
  busy(true);
  timer = setTimeout(load, delay);
}

async function load() {
  stop?.abort();
  stop = new AbortController();
  const mine = ++turn;
  const body = { k: SIZE, strategy, diversity: Number($("diversity").value), explain: true, language };
  try {
    const answer = await ask(path("/recommendations"), { method: "POST", body, signal: stop.signal });
    if (mine !== turn) return;
    items = answer.items.map((item) => ({ ...item, language: answer.language }));
    redraw();
    say(items.length ? t("list.new", { n: items.length, title: items[0].title }) : t("list.empty"));
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
  } finally {
    if (mine === turn) busy(false);
  }
}

function busy(is) {
  $("items").setAttribute("aria-busy", String(is));
  if (is && !$("items").children.length) {
    $("items").replaceChildren(...Array.from({ length: 5 }, () => el("li", { class: "item bone" })));
  }
}

/** Show the items; those that stay are moved, not made anew. */
export function redraw({ anew = false } = {}) {
  if (!items) return;
  const list = $("items"), there = new Map();
  for (const li of list.querySelectorAll("[data-item]")) there.set(li.dataset.item, li);
  const before = new Map([...there].map(([id, li]) => [id, li.getBoundingClientRect().top]));
  const active = document.activeElement;
  const shown = items.map((item) => {
    const old = there.get(item.item_id);
    return old && !anew && old.dataset.made === made(item) ? old : draw(item, old);
  });
  list.replaceChildren(...shown);
  if (!items.length) list.append(el("li", { class: "note" }, t("list.empty")));
  for (const li of shown) move(li, before);
  if (active !== document.activeElement && list.contains(active)) active.focus({ preventScroll: true });
  settle(shown);
}

const made = (item) => JSON.stringify([item.title, item.reason, item.provenance]);

function move(li, before) {
  const from = before.get(li.dataset.item);
  if (from === undefined) return animate(li, [{ opacity: 0 }, { opacity: 1 }]);
  const by = from - li.getBoundingClientRect().top;
  if (by) animate(li, [{ transform: `translateY(${by}px)` }, { transform: "none" }]);
}

/** Put the focus where the tapped item was. */
function settle(shown) {
  if (!focus) return;
  const { item, opinion, place } = focus;
  if (shown.some((li) => li.dataset.item === item)) return;
  focus = null;
  if (document.activeElement !== document.body) return;
  const next = shown[Math.min(place, shown.length - 1)];
  (next?.querySelector(`button.${opinion}`) ?? $("h-list")).focus({ preventScroll: true });
}

function draw(item, old) {
  const button = (opinion) =>
    el(
      "button",
      { type: "button", class: opinion, onclick: () => tap(item, opinion) },
      t(opinion),
      hidden(`: ${item.title}`),
    );
  const open = old?.querySelector("details")?.open ?? false;
  return el(
    "li",
    { class: "item", "data-item": item.item_id, "data-made": made(item) },
    el(
      "div",
      {},
      el("h3", {}, item.title, item.year ? el("span", { class: "note" }, ` ${item.year}`) : null),
      el("p", { class: "reason", lang: item.language === language ? null : item.language }, item.reason),
    ),
    el("div", { class: "actions" }, button("like"), button("dislike"), button("seen")),
    why(item, open),
  );
}

/** Tell the service, once, and ask for the next list. */
async function tap(item, opinion) {
  const li = $("items").querySelector(`[data-item="${CSS.escape(item.item_id)}"]`);
  if (li.classList.contains("going")) return;
  li.classList.add("going");
  focus = { item: item.item_id, opinion, place: items.findIndex((i) => i.item_id === item.item_id) };
  for (const button of li.querySelectorAll(".actions button")) button.setAttribute("aria-disabled", "true");
  try {
    await send("/feedback", { item_id: item.item_id, kind: opinion });
    opinions.note(item.item_id, item.title, opinion);
    items = items.filter((i) => i.item_id !== item.item_id);
    refresh();
  } catch {
    li.classList.remove("going"); // the notice says why
    for (const button of li.querySelectorAll(".actions button")) button.removeAttribute("aria-disabled");
  }
}
