// Favourites by search: a combobox over the titles of the catalog.

import { ask } from "./ask.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { facts } from "./card.js";
import { stamp } from "./poster.js";
import { t } from "./words.js";

const MOST = 8, TYPED_MS = 90;

/** @param chosen called with the card of a title */
export function search(box, chosen) {
  let found = [], of = "", at = -1, turn = 0, timer = null; // found for the text `of`
  const field = el("input", { id: "search", type: "search", role: "combobox", autocomplete: "off", spellcheck: "false", maxlength: 200,
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "hits", "aria-labelledby": "h-search" });
  const list = el("ul", { id: "hits", role: "listbox", hidden: true, "aria-labelledby": "h-search" });
  const none = el("p", { class: "note none", role: "status" });
  box.replaceChildren(el("div", { class: "find" }, icon("search"), field), list, none);

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => {}), TYPED_MS);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      point(at < 0 ? (step > 0 ? 0 : found.length - 1) : (at + step + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      (of === field.value.trim() ? Promise.resolve() : look()).then(() => found.length && take(found[Math.max(at, 0)])).catch(() => {});
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  field.addEventListener("blur", () => setTimeout(() => box.contains(document.activeElement) || close(), 0));

  async function look() {
    clearTimeout(timer);
    const q = field.value.trim(), mine = ++turn;
    if (!q) return close();
    const answer = await ask(`v1/items/search?q=${encodeURIComponent(q)}&limit=${MOST}`);
    if (mine !== turn) return;
    [found, of] = [answer.items, q];
    none.textContent = found.length ? "" : t("search.none", { what: q });
    list.replaceChildren(...found.map((item, n) =>
      el("li", { role: "option", id: `hit-${n}`, "aria-selected": "false", onpointerdown: (e) => e.preventDefault(), onclick: () => take(item) },
        stamp(item), el("span", {}, el("b", {}, item.title), el("span", { class: "note" }, facts(item))))));
    open(found.length > 0);
    point(found.length ? 0 : -1);
  }

  function open(is) {
    list.hidden = !is;
    field.setAttribute("aria-expanded", String(is));
  }

  function close() {
    turn += 1;
    [found, of] = [[], ""];
    none.textContent = "";
    open(false);
    point(-1);
  }

  function point(n) {
    at = n;
    for (const [i, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(i === n));
    if (n < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", `hit-${n}`);
      list.children[n]?.scrollIntoView({ block: "nearest" });
    }
  }

  function take(item) {
    field.value = "";
    close();
    field.focus();
    chosen(item);
  }

  return { redraw: () => (field.placeholder = t("search.hint")) };
}
