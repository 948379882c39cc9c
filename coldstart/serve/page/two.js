// Two people: what each asks for, and the lists side by side, with what is on both marked.

import { Problem } from "./api.js";
import { ask } from "./ask.js";
import { $, animate, el, say } from "./dom.js";
import { card, facts } from "./card.js";
import { stamp } from "./poster.js";
import { why } from "./why.js";
import { language, t } from "./words.js";

const LOOKED_AT = 100, SHOWN = 10, MOST_BOTH = 10;

/** @param people the two @param tap called with (item, opinion) for the first of them */
export function twoOf(people, { form, tap }) {
  const box = $("two");
  let lists = null, turn = 0, stop = null, timer = null;

  function cancel() {
    clearTimeout(timer);
    stop?.abort();
    turn += 1;
  }

  function refresh(delay = 60) {
    clearTimeout(timer);
    box.setAttribute("aria-busy", "true");
    timer = setTimeout(() => load().catch((error) => {
      if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
    }), delay);
  }

  async function load() {
    stop?.abort();
    stop = new AbortController();
    const mine = ++turn;
    for (const who of people) await who.begin();
    const answers = await Promise.all(people.map(async (who) => {
      await who.settled();
      const { words, diversity } = who.said;
      const body = { k: Math.min(LOOKED_AT, form().most), strategy: form().strategy, words, diversity, explain: true, language };
      return ask(who.path("/recommendations"), { method: "POST", body, signal: stop.signal });
    }));
    if (mine !== turn) return;
    lists = answers.map((answer) => ({ ...answer, items: answer.items.map((item) => ({ ...item, language: answer.language })) }));
    redraw();
    box.setAttribute("aria-busy", "false");
    say(t("two.new", { n: both().length }));
  }

  /** Items on both lists, the best for both first: by the worse of the two places. */
  function both() {
    const places = lists.map((list) => new Map(list.items.map((item, n) => [item.item_id, n])));
    return lists[0].items
      .filter((item) => places[1].has(item.item_id))
      .map((item) => ({ item, places: places.map((p) => p.get(item.item_id)) }))
      .sort((a, b) => Math.max(...a.places) - Math.max(...b.places) || a.places[0] - b.places[0])
      .slice(0, MOST_BOTH);
  }

  function redraw() {
    if (!lists) return;
    const common = both(), ids = new Set(common.map(({ item }) => item.item_id));
    const rule = { title: t("two.both"), rule: t("two.both.rule") };
    box.replaceChildren(
      el("section", { class: "row", "aria-labelledby": "h-both" },
        el("div", { class: "head" }, el("h2", { id: "h-both" }, t("two.both")), el("p", { class: "rule" }, t("two.both.rule"))),
        common.length
          ? el("ul", { class: "shelf" }, ...common.map(({ item, places }) => card(item, rule, tap, { mark: t("two.places", { you: places[0] + 1, them: places[1] + 1 }) })))
          : el("p", { class: "empty" }, t("two.none"))),
      el("div", { class: "columns" }, ...lists.map((list, n) => column(list, n, ids))));
    for (const part of box.children) animate(part, [{ opacity: 0.4 }, { opacity: 1 }]);
  }

  function column(list, n, common) {
    const other = new Map(lists[1 - n].items.map((item, place) => [item.item_id, place + 1]));
    const barred = new Set((lists[1 - n].dropped ?? []).map((d) => d.item_id));
    const row = { title: t(`two.${n}`), rule: t("two.rule") };
    return el("section", { "aria-labelledby": `h-two-${n}` },
      el("h2", { id: `h-two-${n}` }, t(`two.${n}`)),
      el("ol", { class: "lines" }, ...list.items.slice(0, SHOWN).map((item) => {
        const place = other.get(item.item_id), is = common.has(item.item_id) || place !== undefined;
        const mark = is ? t(`two.also.${n}`, { n: place }) : t(barred.has(item.item_id) ? `two.barred.${n}` : `two.only.${n}`);
        return el("li", { class: is ? "common" : "only" },
          el("button", { type: "button", onclick: () => why(item, row) }, stamp(item),
            el("span", {}, el("b", {}, item.title), el("span", { class: "note" }, facts(item)), el("span", { class: "mark" }, mark))));
      })));
  }

  function reset() {
    cancel();
    lists = null;
    box.replaceChildren();
  }

  return { refresh, redraw, reset, cancel };
}
