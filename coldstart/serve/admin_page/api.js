// Requests to the service with an admin key, which is forgotten with the tab.

import { $ } from "../page/dom.js";
import { tab } from "../page/storage.js";
import { t } from "./words.js";

const MOST_MS = 60_000;

export class Problem extends Error {
  /** @param status HTTP status, 0 if the service cannot be reached */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let asking = null;

/** Ask for a key, once for all requests that need one. */
function askKey(why) {
  asking ??= new Promise((resolve) => {
    const dialog = $("key");
    $("key-wrong").textContent = why;
    $("secret").value = "";
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      const given = $("secret").value.trim();
      if (!given || /[^\x21-\x7e]/.test(given)) {
        $("key-wrong").textContent = t("That is no key: keys have letters, digits, - and _.");
        return;
      }
      tab.set("key", given);
      dialog.close("given");
    };
    dialog.onclose = () => {
      asking = null;
      resolve(dialog.returnValue === "given");
    };
    dialog.returnValue = "";
    dialog.showModal();
  });
  return asking;
}

/** Response of the service; asks for a key where one is needed. */
async function answered(path, options) {
  for (;;) {
    const secret = tab.get("key");
    const headers = secret ? { Authorization: `Bearer ${secret}` } : {};
    if (options.body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      const signal = AbortSignal.timeout(MOST_MS);
      answer = await fetch(path, { ...options, headers, signal, cache: "no-store", credentials: "omit" });
    } catch (error) {
      throw new Problem(0, error.name === "TimeoutError" ? t("The service took too long.") : t("The service cannot be reached."));
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    const mine = secret === tab.get("key"); // another request may have asked meanwhile
    if (answer.status === 401 || answer.status === 403) {
      const why = answer.status === 403 ? t("That key has no admin rights.") : t("That key is not known.");
      if (!mine || (await askKey(secret ? why : ""))) continue;
    }
    throw new Problem(answer.status, [said.message, said.hint].filter(Boolean).join(": ") || `HTTP ${answer.status}`);
  }
}

export async function read(path) {
  return (await answered(path, {})).json();
}

export async function send(path, body) {
  return (await answered(path, { method: "POST", body: body && JSON.stringify(body) })).json();
}

/** Have the browser save a file of the service. */
export async function download(path) {
  const answer = await answered(path, {});
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "report";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
