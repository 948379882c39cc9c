// What the person said about titles so far, and a way to change one's mind.

import { ask } from "./ask.js";
import { $, el, hidden } from "./dom.js";
import { path, send } from "./session.js";
import { t } from "./words.js";

const LOOKED_UP = 8; // titles fetched after a reload
let said = new Map(); // item id -> {title, opinion}, the latest last
let onChange = () => {};
export const whenChanged = (what) => (onChange = what);

export const size = () => said.size;

export function note(item, title, opinion) {
  said.delete(item);
  said.set(item, { title, opinion });
  redraw();
}

export function drop(item) {
  said.delete(item);
  redraw();
}

export function reset() {
  said = new Map();
  redraw();
}

export function redraw() {
  $("so-far").hidden = said.size === 0;
  $("opinions").replaceChildren(...[...said].reverse().map(([item, one]) => draw(item, one)));
}

function draw(item, { title, opinion }) {
  const other = opinion === "like" ? "dislike" : "like";
  const change = async () => {
    note(item, title, other);
    $("opinions").querySelector("button")?.focus();
    await send("/feedback", { item_id: item, kind: other }).then(onChange, () => {});
  };
  return el(
    "li",
    {},
    el("span", {}, title, el("span", { class: "note" }, t(`said.${opinion}`))),
    el("button", { type: "button", class: "quiet", onclick: change }, t(`change.${other}`), hidden(`: ${title}`)),
  );
}

/** After a reload: read from the service what was said. */
export async function restore() {
  const { session } = await ask(path());
  const found = new Map();
  const put = (item, opinion) => {
    found.delete(item);
    if (opinion !== "unknown") found.set(item, opinion);
  };
  for (const event of session.state.state.events) {
    const asked = /^item:(.*)$/.exec(event.question_id ?? "");
    if (event.kind === "answered" && asked) put(decodeURIComponent(asked[1]), event.answer);
    if (event.kind === "feedback" && event.did in { like: 1, dislike: 1, seen: 1 }) put(event.item_id, event.did);
  }
  for (const [item, opinion] of [...found].slice(-LOOKED_UP)) {
    const { title } = await ask(`v1/items/${encodeURIComponent(item)}`);
    if (!said.has(item)) note(item, title, opinion);
  }
}
