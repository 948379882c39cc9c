// One request to the service; what goes wrong becomes a `Problem` of a known kind.

import { tab } from "./storage.js";

const MOST_MS = 25_000;
const KINDS = {
  401: "key", 404: "gone", 408: "slow", 409: "conflict", 413: "long",
  422: "refused", 429: "many", 503: "busy", 504: "slow",
};

let secret = tab.get("key");

/** Use a key from now on; it is forgotten with the tab. */
export function useKey(value) {
  secret = value;
  tab.set("key", value);
}

export const hasKey = () => Boolean(secret);

export class Problem extends Error {
  /** @param kind one of `KINDS`, "away" or "broken"; @param wait seconds that the service asks for */
  constructor(kind, wait = null) {
    super(kind);
    this.kind = kind;
    this.wait = wait;
  }
}

/** A key under which the service counts something once, however often it is sent. */
export function onceKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

export async function request(path, { method = "GET", body, once, signal } = {}) {
  const headers = {};
  if (secret) headers.Authorization = `Bearer ${secret}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (once) headers["Idempotency-Key"] = once;
  const late = AbortSignal.timeout(MOST_MS);
  let answer, text;
  try {
    answer = await fetch(path, {
      method, headers, cache: "no-store", credentials: "omit",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    text = await answer.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(late.aborted ? "slow" : "away");
  }
  if (answer.ok) return text ? JSON.parse(text) : null;
  const wait = Number(answer.headers.get("Retry-After"));
  throw new Problem(KINDS[answer.status] ?? "broken", wait > 0 ? wait : null);
}
