// Puts the parts together: the question, the rows, the panels, language and theme.

import { Problem } from "./api.js";
import { aboutOf } from "./about.js";
import { ask, clear, whenGone } from "./ask.js";
import { barOf } from "./bar.js";
import { $, el, say } from "./dom.js";
import { icon } from "./icons.js";
import { opinionsOf } from "./opinions.js";
import { person } from "./person.js";
import { quizOf } from "./quiz.js";
import { bones, rowsOf } from "./rows.js";
import { search } from "./search.js";
import { kept } from "./storage.js";
import { hide, toast } from "./toast.js";
import { tuneOf } from "./tune.js";
import { twoOf } from "./two.js";
import { wish } from "./wish.js";
import { language, load, preferred, t, useCatalog } from "./words.js";

let form = { fields: {}, most: 10, catalog: { examples: [] } }; // none before the first answer
const examples = () => form.catalog.examples;
const me = person("session"), other = person("other");

const quietly = (work) => Promise.resolve(work).catch((error) => {
  if (error.name !== "AbortError" && !(error instanceof Problem)) throw error; // that was told
});

// -- parts -----------------------------------------------------------------------------------

const rows = rowsOf(me, { form: () => form, tap: react });
const two = twoOf([me, other], { form: () => form, tap: (item, opinion) => quietly(react(item, opinion).then(refresh)) });
const quiz = quizOf(me, (item, opinion, question) => quietly(decide(item, opinion, question)));
const opinions = opinionsOf(me, (item) => quietly(decide(item, "forget")));
const about = aboutOf(me, (profile) => quietly(me.introduce(profile).then(refresh)));
const tune = tuneOf(me, () => refresh(250));
const find = search($("combo"), (item) => quietly(decide(item, "like").then(() => say(t("favourites.added", { title: item.title })))));
const bar = barOf({
  offered: () => about.asked(),
  count: () => me.said.opinions.filter((one) => one.opinion === "like").length,
  opened: (name) => name === "favourites" && !quiz.shown() && quietly(quiz.next()),
  toggled: (is) => {
    arrange();
    if (is) others.focus();
    refresh(0);
  },
});
const mine = wish(me, { id: "words", question: () => t(bar.two() ? "two.you" : "question"), examples, changed: asked });
const others = wish(other, { id: "words-other", level: "h2", question: () => t("two.them"), examples, changed: () => refresh(0) });

/** What the person wrote has reached the service. */
function asked() {
  refresh(0);
  if (quiz.shown()) quietly(quiz.next());
}

/** One list or two follow everything that is said. */
function refresh(delay) {
  (bar.two() ? rows : two).cancel();
  (bar.two() ? two : rows).refresh(delay);
}

/** An opinion from a card of the rows. */
async function react(item, opinion) {
  await me.think(item, opinion);
  drawOpinions();
  toast(t(`done.${opinion}`, { title: item.title }), () => quietly(decide(item, "forget")));
}

/** An opinion from elsewhere: the rows follow. */
async function decide(item, opinion, question) {
  const sent = me.think(item, opinion, question);
  drawOpinions();
  await sent;
  refresh();
}

function drawOpinions() {
  opinions.redraw();
  quiz.redraw();
  bar.redraw();
}

/** The second question and the lists side by side, where two people are wanted. */
function arrange() {
  const is = bar.two();
  $("wishes").classList.toggle("pair", is);
  $("wishes").replaceChildren(mine.form, ...(is ? [others.form] : []));
  $("rows").hidden = is;
  $("two").hidden = !is;
  mine.redraw();
  if (is) others.redraw();
}

// -- words and colours -----------------------------------------------------------------------

const THEMES = { light: "dark", dark: "light" };

function theme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return document.documentElement.dataset.theme ?? system;
}

function drawTools() {
  $("language").textContent = language === "en" ? "中文" : "English";
  $("language").lang = language === "en" ? "zh-Hans" : "en";
  const next = THEMES[theme()];
  $("theme").replaceChildren(icon(next === "dark" ? "moon" : "sun"));
  $("theme").setAttribute("aria-label", t(`theme.${next}`));
  $("theme").title = t(`theme.${next}`);
}

function redraw() {
  drawTools();
  for (const part of [about, tune, find]) part.redraw();
  drawOpinions();
  arrange();
  rows.redraw();
  two.redraw();
}

$("language").addEventListener("click", () => quietly(change(language === "en" ? "zh" : "en")));
async function change(next) {
  await load(next);
  kept.set("language", next);
  clear();
  hide();
  form = await ask(`v1/sessions?language=${language}`);
  redraw();
  refresh(0); // reasons and rules, in this language
}
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = THEMES[theme()];
  kept.set("theme", theme());
  drawTools();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTools);

// -- one's own data --------------------------------------------------------------------------

$("others").addEventListener("click", () => quietly(quiz.next({ others: true })));
$("link").addEventListener("click", () => quietly(link()));
$("export").addEventListener("click", () => quietly(download()));
$("erase").addEventListener("click", () => $("confirm").showModal());
$("erase-no").addEventListener("click", () => $("confirm").close());
$("erase-yes").addEventListener("click", () => {
  $("confirm").close();
  quietly(erase());
});
let again = null; // one restart, however many requests found that the session is gone
whenGone(() => (again ??= quietly(restart().then(() => toast(t("problem.gone"))).finally(() => (again = null)))));

/** A link that asks the same: only where the person wants one does the address hold their words. */
async function link() {
  const { text, words, diversity } = me.said;
  const asks = new URLSearchParams({ q: text, words, diversity, language });
  await navigator.clipboard.writeText(`${location.origin}${location.pathname}#${asks}`);
  toast(t("data.linked"));
}

async function download() {
  const data = await ask(me.path());
  const blob = new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
  const made = el("a", { href: URL.createObjectURL(blob), download: "coldstart.json" });
  made.click();
  setTimeout(() => URL.revokeObjectURL(made.href), 1000);
  toast(t("data.exported"));
}

async function erase() {
  rows.cancel();
  two.cancel();
  await Promise.all([me.erase(), other.erase()]);
  await restart();
  toast(t("erased"));
}

/** Forget the visit here, and begin again. */
async function restart() {
  me.forget();
  other.forget();
  hide();
  for (const part of [quiz, rows, two]) part.reset();
  if (bar.two()) bar.pair();
  bar.show(null, { focus: false });
  mine.reset();
  others.reset();
  redraw();
  mine.focus();
  await me.begin();
  refresh(0);
}

// -- begin -----------------------------------------------------------------------------------

/** What a link asks for, once; the address then no longer says it. */
function linked() {
  const asks = new URLSearchParams(location.hash.slice(1));
  if (!asks.has("q")) return null;
  history.replaceState(null, "", location.pathname + location.search);
  const share = (name, otherwise) => {
    const x = Number(asks.get(name) ?? otherwise);
    return x >= 0 && x <= 1 ? x : otherwise;
  };
  return { text: asks.get("q").slice(0, 2000), words: share("words", 0.5), diversity: share("diversity", 0), language: asks.get("language") };
}

async function start() {
  const asks = linked();
  await load(["en", "zh"].includes(asks?.language) ? asks.language : preferred());
  $("rows").replaceChildren(bones());
  redraw();
  const [found] = await Promise.all([ask(`v1/sessions?language=${language}`), me.begin()]);
  form = found;
  useCatalog(form.catalog.purpose);
  about.show(form);
  if (asks) me.tune({ words: asks.words, diversity: asks.diversity });
  redraw();
  if (bar.open()) bar.show(bar.open(), { focus: false });
  if (asks?.text) mine.set(asks.text);
  else refresh(0);
}

quietly(start());
