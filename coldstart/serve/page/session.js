// The visit: its id, and what is sent to it, in order and once.

import { onceKey } from "./api.js";
import { ask } from "./ask.js";
import { tab } from "./storage.js";

let id = tab.get("session");
let beginning = null;
let last = Promise.resolve();

export const begun = () => id !== null;
export const path = (rest = "") => `v1/sessions/${id}${rest}`;

/** Begin a visit with what the form holds, unless there is one. */
export async function begin(profile) {
  if (begun()) return;
  const body = { profile, quiz: "information_gain" };
  beginning ??= ask("v1/sessions", { method: "POST", body }).finally(() => (beginning = null));
  id = (await beginning).session_id;
  tab.set("session", id);
}

export function forget() {
  id = null;
  tab.set("session", null);
}

/** Send something after all that was sent before; tried again it still counts once. */
export function send(rest, body) {
  const to = path(rest), once = onceKey();
  const sent = last.then(() => ask(to, { method: "POST", body, once }));
  last = sent.catch(() => {});
  return sent;
}

/** Erase everything on the server, then here. */
export async function erase() {
  await last;
  await ask(path(), { method: "DELETE" });
  forget();
}
