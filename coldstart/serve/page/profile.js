// The first step: who are you? All of it may be left out.

import { $, el } from "./dom.js";
import { known, t, value } from "./words.js";

const OWN = ["age", "gender", "occupation", "location", "language"];
let asked = { fields: {}, categories: [] };

/** Show the fields and categories that the service knows. */
export function show(form) {
  asked = form;
  redraw();
}

export function redraw() {
  const before = read();
  $("fields").replaceChildren(...names().map((name) => field(name)));
  const chips = asked.categories.map((c) =>
    el("label", { class: "chip" }, el("input", { type: "checkbox", name: "interest", value: c }), value(c)),
  );
  const [a, b] = asked.categories.map(value);
  $("words").placeholder = b ? t("say.example", { a, b }) : "";
  $("interests").hidden = chips.length === 0;
  $("interests").querySelector(".chips").replaceChildren(...chips);
  fill(before);
}

/** Names of the fields to ask for; age comes first. */
const names = () => Object.keys(asked.fields).sort((a, b) => place(a) - place(b));
const place = (name) => (OWN.indexOf(name) + OWN.length + 1) % (OWN.length + 1);

function field(name) {
  const id = `field-${name}`, label = known(`you.${name}`) ? t(`you.${name}`) : name;
  const input =
    name === "age"
      ? el("input", { id, name, type: "number", min: 0, max: 130, inputmode: "numeric" })
      : el("select", { id, name }, el("option", { value: "" }, t("you.unsaid")), ...options(asked.fields[name]));
  const note = name === "age" ? el("p", { id: "age-note", class: "wrong", role: "alert" }) : null;
  if (note) input.setAttribute("aria-describedby", note.id);
  return el("div", { class: "field" }, el("label", { for: id }, label), input, note);
}

const options = (values) =>
  values
    .map((raw) => [raw, value(raw)])
    .sort(([, a], [, b]) => a.localeCompare(b))
    .map(([raw, shown]) => el("option", { value: raw }, shown));

/** What was filled in, as the service takes it. */
export function read() {
  const profile = {}, attributes = {};
  for (const input of $("fields").querySelectorAll("input, select")) {
    if (!input.value) continue;
    if (input.name === "age") profile.age = Number(input.value);
    else if (OWN.includes(input.name)) profile[input.name] = input.value;
    else attributes[input.name] = input.value;
  }
  const interests = [...document.querySelectorAll("[name=interest]:checked")].map((c) => c.value);
  const about = $("about").value.trim();
  if (Object.keys(attributes).length) profile.attributes = attributes;
  if (interests.length) profile.interests = interests;
  if (about) profile.about = about;
  return profile;
}

function fill(profile) {
  for (const input of $("fields").querySelectorAll("input, select")) {
    input.value = profile[input.name] ?? profile.attributes?.[input.name] ?? "";
  }
  for (const box of document.querySelectorAll("[name=interest]")) {
    box.checked = (profile.interests ?? []).includes(box.value);
  }
}

/** Whether it can be sent; otherwise what is wrong is said beside it. */
export function check() {
  const age = $("field-age");
  if (!age) return true;
  const fine = age.validity.valid && (age.value === "" || Number.isInteger(Number(age.value)));
  $("age-note").textContent = fine ? "" : t("you.age.wrong");
  age.setAttribute("aria-invalid", String(!fine));
  if (!fine) age.focus();
  return fine;
}

/** Empty the form. */
export function reset() {
  $("profile").reset();
  if ($("age-note")) $("age-note").textContent = "";
}

