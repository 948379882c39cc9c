// The dialog that asks for a key, where the service wants one.

import { useKey } from "./api.js";
import { $ } from "./dom.js";
import { t } from "./words.js";

let open = null;

/** Ask for a key, once for all requests that need one; whether one was given. */
export function askKey(wrong) {
  open ??= new Promise((resolve) => {
    $("key-note").textContent = t(wrong ? "key.wrong" : "key.note");
    $("secret").value = "";
    const dialog = $("key");
    dialog.onclose = () => {
      open = null;
      resolve(dialog.returnValue === "given");
    };
    $("key-form").onsubmit = (event) => {
      event.preventDefault();
      const given = $("secret").value.trim();
      if (!given || /[^\x21-\x7e]/.test(given)) return void ($("key-note").textContent = t("key.wrong"));
      useKey(given);
      dialog.close("given");
    };
    dialog.returnValue = "";
    dialog.showModal();
  });
  return open;
}
