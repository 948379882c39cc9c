// About you: what the service has learned to use of people. All of it may be left out.

import { $, el } from "./dom.js";
import { known, t, value } from "./words.js";

const OWN = ["age", "gender", "occupation", "location", "language"];

/** @param changed called with the profile, once it is valid */
export function aboutOf(who, changed) {
  let fields = {};

  const names = () => Object.keys(fields).sort((a, b) => place(a) - place(b));

  function draw(name) {
    const id = `field-${name}`, label = known(`you.${name}`) ? t(`you.${name}`) : name;
    const note = name === "age" ? el("p", { id: "age-note", class: "wrong", role: "alert" }) : null;
    const input = name === "age"
      ? el("input", { id, name, type: "number", min: 0, max: 130, inputmode: "numeric", "aria-describedby": "age-note" })
      : el("select", { id, name }, el("option", { value: "" }, t("you.unsaid")), ...options(fields[name]));
    input.value = who.said.profile[name] ?? who.said.profile.attributes?.[name] ?? "";
    return el("div", { class: "field" }, el("label", { for: id }, label), input, note);
  }

  const options = (values) =>
    values.map((raw) => [raw, value(raw)]).sort(([, a], [, b]) => a.localeCompare(b)).map(([raw, shown]) => el("option", { value: raw }, shown));

  /** What was filled in, as the service takes it. */
  function read() {
    const profile = {}, attributes = {};
    for (const input of $("about").querySelectorAll("input, select")) {
      if (!input.value) continue;
      if (input.name === "age") profile.age = Number(input.value);
      else if (OWN.includes(input.name)) profile[input.name] = input.value;
      else attributes[input.name] = input.value;
    }
    if (Object.keys(attributes).length) profile.attributes = attributes;
    return profile;
  }

  /** Whether it can be sent; otherwise what is wrong is said beside it. */
  function check() {
    const age = $("field-age");
    if (!age) return true;
    const fine = age.validity.valid && (age.value === "" || Number.isInteger(Number(age.value)));
    $("age-note").textContent = fine ? "" : t("you.age.wrong");
    age.setAttribute("aria-invalid", String(!fine));
    return fine;
  }

  $("about").addEventListener("submit", (event) => event.preventDefault());
  $("about").addEventListener("change", () => check() && changed(read()));

  return {
    show(form) {
      fields = form.fields;
    },
    redraw: () => $("about").replaceChildren(...names().map(draw)),
    asked: () => names().length > 0,
  };
}

const place = (name) => (OWN.indexOf(name) + OWN.length + 1) % (OWN.length + 1);
