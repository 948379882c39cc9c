// Line icons of 24 units; decoration only, the name stands beside or in `aria-label`.

const PATHS = {
  like: "M12 20s-7.5-4.6-7.5-10.2A4.3 4.3 0 0 1 12 7.1a4.3 4.3 0 0 1 7.5 2.7C19.500 15.400 12 20 12 20z",
  dislike: "M6 6l12 12M18 6L6 18",
  seen: "M5 12.500l4.500 4.500L19 7.500",
  search: "M10.500 17a6.500 6.500 0 1 1 0-13 6.500 6.500 0 0 1 0 13zM15.500 15.500L20 20",
  close: "M7 7l10 10M17 7L7 17",
  back: "M8 7L4.500 10.500 8 14M5 10.500h9a5 5 0 0 1 0 10h-3",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500V5M12 19v2.500M2.500 12H5M19 12h2.500M5.300 5.300L7 7M17 17l1.700 1.700M5.300 18.700L7 17M17 7l1.700-1.700",
  moon: "M19.500 14.300A8 8 0 0 1 9.700 4.500a8 8 0 1 0 9.800 9.800z",
  tune: "M4 8h8M18 8h2M4 16h2M12 16h8M15 5.500v5M9 13.500v5",
  about: "M12 11.500a3.750 3.750 0 1 0 0-7.500 3.750 3.750 0 0 0 0 7.500zM5 20c.6-3.700 3.400-5.500 7-5.500s6.400 1.800 7 5.500",
  two: "M8.500 11a3.250 3.250 0 1 0 0-6.500 3.250 3.250 0 0 0 0 6.500zM2.500 19.500c.4-3.300 2.700-5 6-5s5.600 1.700 6 5M16 11a3 3 0 1 0-.9-5.800M17.500 14.600c2.300.5 3.700 2.200 4 4.900",
  data: "M12 3.500l7 2.700v5.300c0 4.200-2.800 7.300-7 9-4.200-1.700-7-4.800-7-9V6.200z",
  no: "M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.500 6.500l11 11",
};
const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `i i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
