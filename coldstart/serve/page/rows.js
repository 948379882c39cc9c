// The rows, asked for again after everything that is written or tapped; titles move to their places.

import { Problem } from "./api.js";
import { ask } from "./ask.js";
import { $, animate, el, say } from "./dom.js";
import { card, made } from "./card.js";
import { language, t } from "./words.js";

const SIZE = 10;
const TOGETHER_MS = 60; // taps that come closer than this are one request
const BONES = 6;

/** @param who the person @param form what the service says of itself @param tap called with (item, opinion) */
export function rowsOf(who, { form, tap }) {
  const box = $("rows");
  let rows = null; // none before the first answer
  let turn = 0, stop = null, timer = null, focus = null, wide = new Set();

  function cancel() {
    clearTimeout(timer);
    stop?.abort();
    turn += 1;
  }

  /** Ask soon; an answer that is overtaken by a later request is thrown away. */
  function refresh(delay = TOGETHER_MS) {
    clearTimeout(timer);
    busy(true);
    timer = setTimeout(load, delay);
  }

  async function load() {
    stop?.abort();
    stop = new AbortController();
    const mine = ++turn;
    const { words, diversity } = who.said;
    const body = { k: Math.min(SIZE, form().most), strategy: form().strategy, words, diversity, explain: true, language };
    try {
      await who.settled();
      const answer = await ask(who.path("/rows"), { method: "POST", body, signal: stop.signal });
      if (mine !== turn) return;
      rows = answer.rows.map((row) => ({ ...row, items: row.items.map((item) => ({ ...item, language: answer.language })) }));
      redraw();
      const first = rows[0]?.items[0];
      say(first ? t("rows.new", { n: rows.reduce((n, r) => n + r.items.length, 0), title: first.title }) : t("rows.empty"));
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
    } finally {
      if (mine === turn) busy(false);
    }
  }

  function busy(is) {
    box.setAttribute("aria-busy", String(is));
    if (is && !box.querySelector("section")) box.replaceChildren(bones());
  }

  /** Show the rows; cards that stay are moved, not made again. */
  function redraw() {
    if (!rows) return;
    const there = new Map([...box.querySelectorAll("[data-item]")].map((li) => [li.dataset.item, li]));
    const before = new Map([...there].map(([id, li]) => [id, li.getBoundingClientRect()]));
    const scrolled = new Map([...box.querySelectorAll(".shelf")].map((ul) => [ul.dataset.row, ul.scrollLeft]));
    const active = document.activeElement;
    const drawn = rows.map((row) => section(row, there));
    if (!rows.length) drawn.push(el("p", { class: "empty" }, t("rows.empty")));
    box.replaceChildren(...drawn);
    for (const ul of box.querySelectorAll(".shelf")) ul.scrollLeft = wide.has(ul.dataset.row) ? 0 : (scrolled.get(ul.dataset.row) ?? 0);
    for (const li of box.querySelectorAll("[data-item]")) move(li, before.get(li.dataset.item));
    if (active !== document.activeElement && box.contains(active)) active.focus({ preventScroll: true });
    settle();
  }

  function section(row, there) {
    const id = `h-row-${row.row}`;
    const shelf = el("ul", { class: wide.has(row.row) ? "shelf wide" : "shelf", "data-row": row.row },
      ...row.items.map((item) => {
        const old = there.get(item.item_id);
        if (old?.dataset.made !== made(item, null) || old.row !== row.row) return fresh(item, row);
        old.shows = [item, row]; // the shares may differ where the words do not
        return old;
      }));
    const all = el("button", { type: "button", class: "quiet all", "aria-expanded": String(wide.has(row.row)), onclick: () => widen(row, shelf, all) }, t(wide.has(row.row) ? "rows.less" : "rows.all"));
    return el("section", { class: "row", "aria-labelledby": id },
      el("div", { class: "head" }, el("h2", { id, tabindex: -1 }, row.title), all, el("p", { class: "rule" }, row.rule)),
      shelf);
  }

  function fresh(item, row) {
    const li = card(item, row, act);
    li.row = row.row;
    return li;
  }

  function widen(row, shelf, button) {
    if (!wide.delete(row.row)) wide.add(row.row);
    shelf.classList.toggle("wide", wide.has(row.row));
    button.setAttribute("aria-expanded", String(wide.has(row.row)));
    button.textContent = t(wide.has(row.row) ? "rows.less" : "rows.all");
  }

  /** An opinion on a card: it goes, and the rows follow. */
  async function act(item, opinion) {
    const li = box.querySelector(`[data-item="${CSS.escape(item.item_id)}"]`);
    if (li.classList.contains("going")) return;
    li.classList.add("going");
    const row = rows.find((r) => r.items.some((i) => i.item_id === item.item_id));
    focus = { item: item.item_id, opinion, row: row.row, place: row.items.findIndex((i) => i.item_id === item.item_id) };
    try {
      await tap(item, opinion);
      refresh();
    } catch {
      li.classList.remove("going"); // the notice says why
      focus = null;
    }
  }

  /** Put the focus where the tapped card was. */
  function settle() {
    if (!focus || box.querySelector(`[data-item="${CSS.escape(focus.item)}"]`)) return;
    const { row, place, opinion } = focus;
    focus = null;
    if (document.activeElement !== document.body) return;
    const shelf = box.querySelector(`.shelf[data-row="${row}"]`) ?? box.querySelector(".shelf");
    const next = shelf?.children[Math.min(place, shelf.children.length - 1)];
    (next?.querySelector(`button.${opinion}`) ?? box.querySelector("h2"))?.focus({ preventScroll: true });
  }

  function reset() {
    cancel();
    [rows, focus, wide] = [null, null, new Set()];
    box.replaceChildren(bones());
  }

  return { refresh, redraw, reset, cancel, rows: () => rows };
}

function move(li, from) {
  const to = li.getBoundingClientRect();
  if (to.bottom < 0 || to.top > innerHeight) return;
  if (!from) return animate(li, [{ opacity: 0 }, { opacity: 1 }]);
  const [x, y] = [from.left - to.left, from.top - to.top];
  if (x || y) animate(li, [{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }]);
}

export const bones = () =>
  el("div", { class: "row bones", "aria-hidden": "true" }, el("span", { class: "bone text" }),
    el("ul", { class: "shelf" }, ...Array.from({ length: BONES }, () => el("li", { class: "card" }, el("span", { class: "bone poster" }), el("span", { class: "bone text" }), el("span", { class: "bone text half" })))));
