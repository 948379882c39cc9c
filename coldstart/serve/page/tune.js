// Two sliders: how much one's words count beside one's taste, and how varied the rows are.

import { $, el } from "./dom.js";
import { t } from "./words.js";

/** @param changed called when a slider was moved */
export function tuneOf(who, changed) {
  // To the right: more of the taste; the service takes the weight of the words.
  const sliders = [
    { id: "taste", ends: ["tune.words", "tune.own"], read: () => 1 - who.said.words, write: (x) => who.tune({ words: round(1 - x) }) },
    { id: "variety", ends: ["tune.close", "tune.varied"], read: () => who.said.diversity, write: (x) => who.tune({ diversity: round(x) }) },
  ];

  function draw({ id, ends, read, write }) {
    const input = el("input", { type: "range", id, min: 0, max: 1, step: 0.1, "aria-describedby": `note-${id}` });
    const tell = () => {
      const x = Number(input.value);
      input.setAttribute("aria-valuetext", t(`tune.${id}.${x < 0.35 ? "low" : x > 0.65 ? "high" : "middle"}`));
    };
    input.value = read();
    tell();
    input.addEventListener("input", () => {
      write(Number(input.value));
      tell();
      changed();
    });
    return el("div", { class: "slider" }, el("label", { for: id }, t(`tune.${id}`)), input,
      el("div", { class: "ends", "aria-hidden": "true" }, ...ends.map((key) => el("span", {}, t(key)))),
      el("p", { class: "note", id: `note-${id}` }, t(`tune.${id}.note`)));
  }

  return { redraw: () => $("tuning").replaceChildren(...sliders.map(draw)) };
}

const round = (x) => Math.round(10 * x) / 10;
