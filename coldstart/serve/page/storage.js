// What the browser keeps: language and theme for good, session and key until the tab is closed.

function of(kind) {
  return {
    get(name) {
      try {
        return window[kind].getItem(`coldstart.${name}`);
      } catch {
        return null; // storage is off: the page works, and remembers nothing
      }
    },
    set(name, value) {
      try {
        if (value === null) window[kind].removeItem(`coldstart.${name}`);
        else window[kind].setItem(`coldstart.${name}`, value);
      } catch {
        // as above
      }
    },
  };
}

export const kept = of("localStorage");
export const tab = of("sessionStorage");
