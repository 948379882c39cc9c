// Elements, always with text and never with markup: titles and reasons are not ours.

export const $ = (id) => document.getElementById(id);

/** An element; `on…` properties are listeners, children are elements or texts. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const hidden = (text) => el("span", { class: "hidden" }, text);

/** Have a screen reader say something; the same sentence twice is said twice. */
export function say(text) {
  $("status").textContent = "";
  requestAnimationFrame(() => ($("status").textContent = text));
}

/** Fade or move, unless the person wants no motion. */
export function animate(element, frames) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate(frames, { duration: 260, easing: "ease-out" });
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
