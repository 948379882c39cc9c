// What the browser keeps: language and theme for good, session and key for this tab.

function of(kind, where) {
  const key = (name) => `coldstart.${where}${name}`;
  return {
    get(name) {
      try {
        return window[kind].getItem(key(name));
      } catch {
        return null; // storage is off
      }
    },
    set(name, value) {
      try {
        if (value === null) window[kind].removeItem(key(name));
        else window[kind].setItem(key(name), value);
      } catch {
        // as above
      }
    },
  };
}

export const kept = of("localStorage", "");
export const tab = of("sessionStorage", location.pathname.slice(1));
