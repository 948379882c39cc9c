// The question: one large field; while it is written, what was understood shows as chips.

import { Problem } from "./api.js";
import { ask } from "./ask.js";
import { el, hidden } from "./dom.js";
import { icon } from "./icons.js";
import { language, t } from "./words.js";

const UNDERSTAND_MS = 120; // after the last key
const LIST_MS = 450;
const MOST = 2000; // characters that the service takes

/** The field of one person.
 *
 * @param who the person
 * @param question the wording of the label, which follows the language
 * @param changed called when what was written has reached the service
 */
export function wish(who, { id, question, level = "h1", changed, examples = () => [] }) {
  let chips = [], notes = [], readOf = null, asked = 0, timer = null, listTimer = null, told = "";
  let sent = who.said.text;

  const label = el("label", { for: id });
  const field = el("textarea", { id, rows: 1, maxlength: MOST, enterkeyhint: "search", autocomplete: "off", spellcheck: "true" });
  const clear = el("button", { type: "button", class: "clear", hidden: true, onclick: () => (set(""), field.focus()) }, icon("close"));
  const shown = el("div", { class: "read", role: "group" });
  const status = el("p", { class: "hidden", role: "status" });
  const form = el("form", { class: "wish", role: "search" },
    el(level, { class: "question" }, label),
    el("div", { class: "ask" }, icon("search"), field, clear),
    shown, status);
  field.value = who.said.text;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    now();
  });
  field.addEventListener("input", () => {
    fit();
    soon();
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      now();
    } else if (event.key === "Escape" && field.value) set("");
  });

  function fit() {
    field.style.blockSize = "auto";
    if (field.scrollHeight) field.style.blockSize = `${field.scrollHeight}px`;
    clear.hidden = !field.value;
  }

  function set(text) {
    field.value = text;
    fit();
    now();
  }

  function soon() {
    clearTimeout(timer);
    clearTimeout(listTimer);
    timer = setTimeout(() => quietly(understand()), UNDERSTAND_MS);
    listTimer = setTimeout(() => quietly(send()), LIST_MS);
  }

  function now() {
    clearTimeout(timer);
    clearTimeout(listTimer);
    // Which parts stay removed is known once the text is read; without any there is no need to wait.
    const read = readOf === field.value.trim() ? null : understand();
    return quietly(Promise.all([read, who.said.removed.length ? Promise.resolve(read).then(() => send(true)) : send(true)]));
  }

  /** Show what the rules read in the text so far; the service records nothing of it. */
  async function understand() {
    const text = field.value.trim(), turn = ++asked;
    if (!text) return show([], []);
    const read = await ask("v1/understand", { method: "POST", body: { text, language } });
    if (turn !== asked) return;
    readOf = text;
    show(read.chips, read.notes ?? []);
  }

  /** The words that a chip comes from; the service counts characters, not halves of them. */
  const wordsOf = (chip) => [...field.value.trim()].slice(chip.start, chip.end).join("");

  const isGone = (chip) => who.said.removed.some((one) => one.words === wordsOf(chip));

  /** Chips that were removed stay removed while their words are in the text. */
  const removed = () => chips.filter(isGone).map((chip) => ({ spans: chip.spans, words: wordsOf(chip) }));

  async function send(always = false) {
    const text = field.value.trim();
    if (text === sent && !always) return;
    if (text && readOf !== text && who.said.removed.length) await understand(); // parts are of this text
    if (text !== field.value.trim()) return; // what was typed meanwhile is sent soon
    if (text === sent && same(removed(), who.said.removed)) return changed();
    const before = sent;
    sent = text;
    await who.begin();
    try {
      await who.write(text, removed());
    } catch (error) {
      sent = before;
      throw error; // the notice says why
    }
    changed();
  }

  async function toggle(chip) {
    const gone = !isGone(chip);
    const others = who.said.removed.filter((one) => one.words !== wordsOf(chip));
    const list = gone ? [...others, { spans: chip.spans, words: wordsOf(chip) }] : others;
    sent = field.value.trim();
    const wrote = who.write(sent, list);
    draw();
    [...shown.querySelectorAll("button.chip")].find((b) => b.dataset.at === String(chip.start))?.focus();
    status.textContent = t(gone ? "chip.removed" : "chip.back", { what: chip.text });
    await quietly(wrote.then(changed));
  }

  function show(found, remarks) {
    [chips, notes] = [found, remarks];
    draw();
    const parts = groups().map(([name, list]) => `${name === "for" ? "" : t(`read.${name}`)} ${list.map((c) => c.text).join(t("comma"))}`);
    const text = parts.join(t("semicolon"));
    if (text !== told) status.textContent = told = text;
  }

  const groups = () =>
    [["wants", (c) => c.wanted && c.kind !== "audience"], ["avoids", (c) => !c.wanted], ["for", (c) => c.wanted && c.kind === "audience"]]
      .map(([name, is]) => [name, chips.filter(is)])
      .filter(([, list]) => list.length);

  function draw() {
    const text = field.value.trim();
    shown.setAttribute("aria-label", t(text ? "read.label" : "examples.label"));
    if (!text) return shown.replaceChildren(...tries());
    const drawn = groups().map(([name, list]) =>
      el("div", { class: `group ${name}` }, name === "for" ? "" : el("span", { class: "eyebrow" }, t(`read.${name}`)),
        ...list.map((chip) => button(chip, isGone(chip)))));
    if (!drawn.length && readOf === text) drawn.push(el("p", { class: "note" }, t("read.nothing")));
    if (notes.length) {
      drawn.push(el("details", { class: "remarks" }, el("summary", {}, t("read.more")),
        el("ul", {}, ...notes.map((note) => el("li", { class: "note" }, note)))));
    }
    shown.replaceChildren(...drawn);
  }

  function button(chip, gone) {
    const name = t(gone ? "chip.add" : "chip.remove", { what: chip.text });
    return el("button", { type: "button", class: gone ? "chip gone" : "chip", "data-at": chip.start, "aria-label": name, onclick: () => toggle(chip) },
      el("span", {}, chip.text), icon(gone ? "back" : "close"));
  }

  const tries = () => {
    const list = examples().map((text) =>
      el("button", { type: "button", class: "example", onclick: () => (set(text), field.focus()) }, hidden(`${t("examples.label")} `), text));
    return list.length ? [el("span", { class: "eyebrow", "aria-hidden": "true" }, t("examples.label")), ...list] : [];
  };

  function redraw() {
    label.textContent = question();
    clear.setAttribute("aria-label", t("clear"));
    field.placeholder = t("hint");
    fit();
    draw();
    if (field.value.trim()) quietly(understand());
  }

  /** Back to what the person has said, after erasing or restoring. */
  function reset() {
    field.value = sent = who.said.text;
    chips = notes = [];
    redraw();
  }

  return { form, redraw, reset, set, focus: () => field.focus() };
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const quietly = (work) => Promise.resolve(work).catch((error) => {
  if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
});
