// The bar below the question: each button opens its panel, and closes the one that was open.

import { $, el } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const PANELS = ["favourites", "tune", "about", "data"];
const ICONS = { favourites: "like", tune: "tune", about: "about", two: "two", data: "data" };

/** @param opened called with the name of a panel @param toggled called when two people are wanted */
export function barOf({ opened, toggled, offered, count }) {
  let open = PANELS.find((name) => location.hash === `#${name}`) ?? null;
  let two = false;

  function draw(name) {
    const pressed = name === "two" ? { "aria-pressed": String(two) } : { "aria-expanded": String(open === name), "aria-controls": `panel-${name}` };
    const n = name === "favourites" ? count() : 0;
    return el("button", { type: "button", id: `open-${name}`, class: "pill", ...pressed, onclick: () => (name === "two" ? pair() : show(open === name ? null : name)) },
      icon(ICONS[name]), t(`bar.${name}`), n ? el("span", { class: "badge" }, n) : null);
  }

  function redraw() {
    const focused = document.activeElement?.id;
    const names = ["favourites", "tune", ...(offered("about") ? ["about"] : []), "two", "data"];
    $("bar").replaceChildren(...names.map(draw));
    for (const name of PANELS) $(`panel-${name}`).hidden = open !== name;
    if (focused?.startsWith("open-")) $(focused)?.focus({ preventScroll: true });
  }

  /** Open a panel, or none; the address names it, so that it can be linked to. */
  function show(name, { focus = true } = {}) {
    const before = open;
    open = name;
    history.replaceState(null, "", name ? `#${name}` : location.pathname + location.search);
    redraw();
    if (name) {
      opened(name);
      if (focus) $(`h-${name}`).focus({ preventScroll: true });
      $(`panel-${name}`).scrollIntoView({ block: "nearest" });
    } else if (before) $(`open-${before}`)?.focus();
  }

  function pair() {
    two = !two;
    redraw();
    toggled(two);
  }

  for (const name of PANELS) {
    $(`panel-${name}`).addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) show(null);
    });
  }
  addEventListener("hashchange", () => {
    const name = location.hash.slice(1);
    if (PANELS.includes(name) && name !== open) show(name);
  });

  return { redraw, show, open: () => open, two: () => two, pair };
}
