// A short word about what was just done, with a way to take it back.

import { $, el, say } from "./dom.js";
import { t } from "./words.js";

const SHOWN_MS = 8000;
let timer = null;

/** @param undo called if it is taken back */
export function toast(text, undo) {
  clearTimeout(timer);
  const button = undo ? el("button", { type: "button", onclick: () => (hide(), undo()) }, t("undo")) : null;
  $("toast").replaceChildren(el("p", {}, text), button ?? "");
  $("toast").hidden = false;
  say(text);
  timer = setTimeout(hide, SHOWN_MS);
}

export function hide() {
  clearTimeout(timer);
  $("toast").hidden = true;
}
