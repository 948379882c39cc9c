// Requests with patience: what can be tried again is tried again, and the person is told kindly.

import { Problem, hasKey, request } from "./api.js";
import { $, el, sleep } from "./dom.js";
import { askKey } from "./key.js";
import { known, t } from "./words.js";

const LATE_MS = 1500;
const MOST_SECONDS = 30;
const AT_ONCE = 4; // times that a conflict with another request is tried again

let pause = null; // what is being waited for, which all requests share
let refusal = false; // whether the notice tells of something refused: it stays until something is taken
let lateOnes = 0;
let onGone = () => {};
export const whenGone = (what) => (onGone = what);

/** The answer to a request; waits and tries again where that can help.
 *
 * Throws a `Problem` that trying again cannot solve, after telling about it, and an `AbortError`.
 */
export async function ask(path, options = {}) {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    showLate(+1);
  }, LATE_MS);
  try {
    return await untilAnswered(path, options);
  } finally {
    clearTimeout(timer);
    if (late) showLate(-1);
  }
}

/** A kind word as long as any request is late, unless the notice says more. */
function showLate(more) {
  lateOnes += more;
  $("late").textContent = t("slow");
  $("late").hidden = lateOnes === 0 || !$("notice").hidden;
}

async function untilAnswered(path, options) {
  for (let n = 0; ; n++) {
    try {
      const answer = await request(path, options);
      if (!pause && (!refusal || options.once)) clear();
      return answer;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.kind === "conflict" && n < AT_ONCE) await sleep(100 * 2 ** n);
      else if (problem.kind === "key") await getKey(options.signal);
      else if (["many", "busy", "away", "slow"].includes(problem.kind)) {
        const seconds = Math.max(problem.wait ?? 0, Math.min(2 ** n, MOST_SECONDS));
        await wait(problem.kind, seconds, options.signal);
      } else if (problem.kind === "broken") {
        await wait("broken", null, options.signal);
      } else {
        if (problem.kind === "gone") onGone();
        else tell(problem.kind);
        throw problem;
      }
    }
  }
}

async function getKey(signal) {
  const wrong = hasKey();
  if (!(await askKey(wrong))) await wait("key", null, signal);
}

/** Show what is wrong until it is time to try again, or the person says so. */
async function wait(kind, seconds, signal) {
  pause ??= shown(kind, seconds).finally(() => (pause = null));
  await Promise.race([pause, aborted(signal)]);
}

function shown(kind, seconds) {
  return new Promise((resolve) => {
    const left = el("span", { class: "note", "aria-hidden": "true" });
    const done = () => {
      clearInterval(clock);
      removeEventListener("online", done);
      resolve();
    };
    const label = t(known(`again.${kind}`) ? `again.${kind}` : "again");
    const button = el("button", { type: "button", onclick: done }, label);
    const until = Date.now() + 1000 * (seconds ?? 0);
    const tick = () => {
      const more = Math.ceil((until - Date.now()) / 1000);
      if (more <= 0) return done();
      left.textContent = t("again.in", { n: more });
    };
    const clock = seconds === null ? null : setInterval(tick, 250);
    if (seconds !== null) tick();
    addEventListener("online", done);
    show(t(`problem.${kind}`), left, button);
  });
}

function aborted(signal) {
  if (!signal) return new Promise(() => {});
  return new Promise((_, reject) => {
    const stop = () => reject(new DOMException("superseded", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Show one sentence, with a button that takes it away. */
export function tell(kind) {
  show(t(`problem.${kind}`), el("button", { type: "button", onclick: clear }, t("ok")));
  refusal = true;
}

function show(text, ...more) {
  refusal = false;
  $("notice").replaceChildren(el("p", {}, text), ...more);
  $("notice").hidden = false;
  $("late").hidden = true;
}

export function clear() {
  refusal = false;
  $("notice").hidden = true;
  $("notice").replaceChildren();
}
