// The shapes that tell things apart for those who see no colours: icons, and the squares of rounds.

import { svg } from "./dom.js";

const PATHS = {
  fine: "M3 8.5 6.5 12 13 4.5",
  critical: "M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3L1.5 10.7V5.3zM5.5 5.5l5 5M10.5 5.5l-5 5",
  warning: "M8 2 14.8 14H1.2zM8 6.5v3.5M8 12v.6",
  info: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M8 7.2v4.3M8 4.4v.6",
  up: "M3 8.5 6.5 12 13 4.5",
  down: "M4 4l8 8M12 4l-8 8",
  unknown: "M5 6a3 3 0 1 1 4.4 2.6C8.4 9.2 8 9.7 8 10.6M8 13v.6",
  behind: "M8 2.5V13M3.5 8.5 8 13l4.5-4.5",
  forked: "M8 14V9L3.5 2.5M8 9l4.5-6.5",
  foreign: "M3 6h10M3 10h10M11 2.5l-6 11",
  syncing: "M13 8a5 5 0 1 1-1.5-3.6M12.5 1.5v3.2H9.3",
  paused: "M5.5 3v10M10.5 3v10",
  suspect: "M8 2 14.8 14H1.2zM8 6.5v3.5M8 12v.6",
  pin: "M8 1.8l1.9 4 4.3.5-3.2 3 .9 4.3L8 11.5l-3.9 2.1.9-4.3-3.2-3 4.3-.5z",
  now: "M5 3l7 5-7 5z",
};

// A decoration: the words beside it say the same.
export function icon(name) {
  return svg("svg", { class: `icon ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}

// How a maker's turn went.
export function outcome(round) {
  if (round.due <= 0) return "none";
  return round.made >= round.due ? "made" : round.made > 0 ? "partly" : "missed";
}

const SIDE = 10;

// One square: filled, half filled, hollow with a cross, or a dot where nothing was due.
export function square(kind, x = 0) {
  const left = x + 0.75;
  const outline = svg("rect", { class: kind, x: left, y: 0.75, width: SIDE - 1.5, height: SIDE - 1.5 });
  switch (kind) {
    case "made":
      return [outline];
    case "partly":
      return [outline, svg("rect", { class: "made", x: left, y: SIDE / 2, width: SIDE - 1.5, height: SIDE / 2 - 0.75 })];
    case "missed":
      return [outline, svg("path", { class: kind, d: `M${x + 2.5} 2.5l5 5M${x + 7.5} 2.5l-5 5` })];
    default:
      return [svg("circle", { class: kind, cx: x + SIDE / 2, cy: SIDE / 2, r: 1.2 })];
  }
}

// The squares of several rounds, the oldest first, with what they say in words.
export function squares(kinds, label) {
  const width = kinds.length * (SIDE + 2);
  return svg(
    "svg",
    { class: "squares", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${SIDE}`, width: width * 1.1, height: SIDE * 1.1 },
    ...kinds.flatMap((kind, place) => square(kind, place * (SIDE + 2))),
  );
}
