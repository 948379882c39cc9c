// One person: a session of the service, what they wrote, and what they think of which title.

import { onceKey } from "./api.js";
import { ask } from "./ask.js";
import { tab } from "./storage.js";

/** @param name key of what the tab keeps; one tab can hold several people */
export function person(name) {
  const nothing = () => ({ text: "", removed: [], profile: {}, opinions: [], words: 0.5, diversity: 0 });
  const kept = () => {
    try {
      return { ...nothing(), ...JSON.parse(tab.get(`${name}.said`) ?? "{}") };
    } catch {
      return nothing(); // damaged
    }
  };
  let id = tab.get(name);
  let said = id ? kept() : nothing();
  let beginning = null;
  let last = Promise.resolve();

  const path = (rest = "") => `v1/sessions/${id}${rest}`;
  const keep = () => tab.set(`${name}.said`, JSON.stringify(said));

  /** Begin a session, unless there is one. */
  async function begin() {
    if (id) return;
    const body = { profile: said.profile, quiz: "information_gain" };
    beginning ??= ask("v1/sessions", { method: "POST", body }).finally(() => (beginning = null));
    id = (await beginning).session_id;
    tab.set(name, id);
  }

  /** Send something after all that was sent before; tried again it still counts once. */
  function send(rest, body, method = "POST") {
    const to = path(rest), once = onceKey();
    const sent = last.then(() => ask(to, { method, body, once }));
    last = sent.catch(() => {});
    return sent;
  }

  /** Replace all that was written before, less the removed parts: `[{spans, words}]`. */
  function write(text, removed) {
    said = { ...said, text, removed };
    keep();
    return send("/text", { text, without: removed.flatMap((one) => one.spans) }, "PUT");
  }

  /** Take up an opinion, or take it back with "forget"; `question` is the one that it answers. */
  function think(item, opinion, question = null) {
    const { item_id, title, year, categories, image, image_alt } = item;
    const others = said.opinions.filter((one) => one.item_id !== item_id);
    if (opinion !== "forget") others.unshift({ item_id, title, year, categories, image, image_alt, opinion });
    said = { ...said, opinions: others };
    keep();
    if (!question) return send("/feedback", { item_id, kind: opinion });
    return send("/answers", { question_id: question, answer: opinion === "forget" ? "unknown" : opinion });
  }

  function introduce(profile) {
    said = { ...said, profile };
    keep();
    return send("/profile", { profile }, "PUT");
  }

  function tune(values) {
    said = { ...said, ...values };
    keep();
  }

  function forget() {
    id = null;
    said = nothing();
    tab.set(name, null);
    tab.set(`${name}.said`, null);
  }

  /** Erase everything on the service, then here. */
  async function erase() {
    await last;
    if (id) await ask(path(), { method: "DELETE" });
    forget();
  }

  return {
    begin, write, think, introduce, tune, forget, erase, path,
    begun: () => id !== null,
    settled: () => last,
    get said() {
      return said;
    },
  };
}
