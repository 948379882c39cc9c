// The face of an item: its picture, or a poster set from title, year and first category.

import { el } from "./dom.js";
import { purpose, value } from "./words.js";

const COLOURS = 16, MOTIFS = 7;

/** A hash of a text that stays the same from visit to visit (FNV-1a). */
function hash(text) {
  let h = 0x811c9dc5;
  for (const c of text) h = Math.imul(h ^ c.codePointAt(0), 0x01000193) >>> 0;
  return h;
}

/** The face, with the title as heading: in a drawn poster, or below a picture. */
export function face(item, { heading = "h3" } = {}) {
  if (item.image) {
    const box = el("div", { class: "face" });
    const img = el("img", { src: item.image, alt: item.image_alt || "", loading: "lazy", decoding: "async",
      onerror: () => box.replaceChildren(poster(item, heading)) });
    box.append(el("div", { class: "picture" }, img), el(heading, { class: "under" }, item.title));
    return box;
  }
  return el("div", { class: "face" }, poster(item, heading));
}

/** Its small form beside a title: no text of its own. */
export function stamp(item) {
  if (item.image) {
    return el("span", { class: "stamp" }, el("img", { src: item.image, alt: "", loading: "lazy", onerror: (e) => e.target.remove() }));
  }
  return el("span", { class: `stamp ${look(item)}`, "aria-hidden": "true" }, [...item.title.replace(/^(the|a|an) /i, "")][0] ?? "");
}

function look(item) {
  const own = hash(`${item.title} ${item.year ?? ""}`), kind = hash(item.categories?.[0] ?? "");
  const motif = (kind + (own >>> 8) % 4) % MOTIFS; // each kind has four of them
  return `c${own % COLOURS} m${motif} ${(own >>> 12) % 2 ? "turned" : "plain"}`;
}

function poster(item, heading) {
  const kind = item.categories?.[0];
  const longest = Math.max(...item.title.split(/[\s-]+/).map(width));
  const size = item.title.length > 44 || longest > 15 ? "tiny" : item.title.length > 22 || longest > 10 ? "small" : "large";
  return el("div", { class: `poster ${look(item)} ${size}` },
    item.year && purpose !== "shop" ? el("span", { class: "year", "aria-hidden": "true" }, item.year) : null,
    kind ? el("span", { class: "kind", "aria-hidden": "true" }, value(kind)) : null,
    el(heading, {}, item.title));
}

/** About how many Latin letters wide. */
const width = (word) => [...word].reduce((n, c) => n + (c.codePointAt(0) > 0x2e80 ? 1.8 : 1), 0);
