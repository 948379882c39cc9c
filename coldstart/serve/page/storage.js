// What the browser keeps: language and theme for good, session and key until the tab is closed.

// Tenants of one address have pages of their own.
const own = location.pathname === "/" ? "" : location.pathname;

function of(kind, where = "") {
  return {
    get(name) {
      try {
        return window[kind].getItem(`coldstart.${where}${name}`);
      } catch {
        return null; // storage is off: the page works, and remembers nothing
      }
    },
    set(name, value) {
      try {
        if (value === null) window[kind].removeItem(`coldstart.${where}${name}`);
        else window[kind].setItem(`coldstart.${where}${name}`, value);
      } catch {
        // as above
      }
    },
  };
}

export const kept = of("localStorage");
export const tab = of("sessionStorage", own);
