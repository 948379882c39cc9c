// What the person thinks of titles so far; each opinion can be taken back.

import { $, el } from "./dom.js";
import { icon } from "./icons.js";
import { stamp } from "./poster.js";
import { t } from "./words.js";

/** @param forget called with the item whose opinion is taken back */
export function opinionsOf(who, forget) {
  function redraw() {
    const focused = [...$("opinions").children].indexOf(document.activeElement?.closest("#opinions > li"));
    $("opinions").hidden = who.said.opinions.length === 0;
    $("opinions").replaceChildren(...who.said.opinions.map(draw));
    if (focused >= 0) ($("opinions").children[Math.min(focused, who.said.opinions.length - 1)]?.querySelector("button") ?? $("search")).focus();
  }

  const draw = (one) =>
    el("li", { class: one.opinion }, stamp(one),
      el("span", {}, el("b", {}, one.title), el("span", { class: "note" }, icon(one.opinion), t(`said.${one.opinion}`))),
      el("button", { type: "button", class: "icon", "aria-label": t("opinions.forget", { title: one.title }), title: t("opinions.back"), onclick: () => forget(one) }, icon("close")));

  return { redraw };
}
