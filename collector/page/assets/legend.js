// What every colour and every shape means.

import { el, svg } from "./dom.js";
import { icon, squares } from "./icons.js";
import { STANDINGS, toneOf, wordOf } from "./standing.js";
import { sparkline, drawSparkline } from "./sparkline.js";

const SEVERITIES = {
  critical: "red octagon: the chain is in danger, or stands still; wakes somebody",
  warning: "amber triangle: something is wrong that can wait for the day",
  info: "blue circle: worth knowing",
  fine: "green tick: in health",
  unknown: "question mark: nothing is known of the chain yet",
};

const ROUNDS = {
  made: "filled: all blocks of the turn were made",
  partly: "half filled: some of them",
  missed: "hollow with a cross: none of them",
  none: "dot: none was due",
};

const row = (shape, word, meaning) => el("div", {}, el("dt", {}, shape, " ", word), el("dd", {}, meaning));

const list = (title, rows) => el("section", {}, el("h3", {}, title), el("dl", {}, ...rows));

function sample() {
  const line = sparkline();
  drawSparkline(line, [0, 0, 1, 0, 2, 4, 4, 3, 1, 0, null, null, 0, 0, 1, 0]);
  return line;
}

const drawing = (...shapes) => svg("svg", { class: "sample", viewBox: "0 0 24 14", width: 24, height: 14, "aria-hidden": "true" }, ...shapes);

export function legend() {
  const severities = Object.entries(SEVERITIES).map(([name, meaning]) => row(icon(name), name, meaning));
  const standings = Object.entries(STANDINGS).map(([name, meaning]) =>
    row(el("span", { class: `state ${toneOf(name)}` }, icon(name)), wordOf(name), meaning),
  );
  const rounds = Object.entries(ROUNDS).map(([name, meaning]) => row(squares([name], name), name, meaning));
  const makers = [
    row(icon("now"), "now", "made the head block"),
    row(icon("down"), "absent", "has its turns, and makes no blocks"),
  ];
  const lines = [
    row(sample(), "lags", "blocks behind at the last gathers, the newest at the right; up is further behind, a gap is no answer"),
    row(drawing(svg("path", { class: "main", d: "M2 7H16" }), svg("circle", { class: "main", cx: 17, cy: 7, r: 5 })), "disc", "where the chain ends, in a picture of a fork"),
    row(drawing(svg("path", { class: "branch", d: "M2 7H12" }), svg("path", { class: "branch end", d: "M11 7l6-6 6 6-6 6z" })), "diamond", "where a branch ends that is not the chain; dashed, where it is unknown at which height it parted"),
    row(drawing(svg("line", { x1: 3, y1: 7, x2: 21, y2: 7 }), svg("circle", { class: "peer", cx: 4, cy: 7, r: 4 }), svg("circle", { class: "peer", cx: 20, cy: 7, r: 4 })), "line", "two nodes that are connected; a cross in place of a disc is a node that does not answer"),
    row("", "pushes", "beside the last answer: the node tells of itself by ethstats as well"),
    row("–", "dash", "unknown: the readings do not say"),
    row("", "grey page", "the collector is gone or can't be reached: what is shown is the last that it said"),
  ];
  return el(
    "div",
    { class: "legend" },
    list("Severity", severities),
    list("Nodes", standings),
    list("Turns", [...rounds, ...makers]),
    list("Drawings", lines),
  );
}
