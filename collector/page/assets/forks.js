// The branches of a chain that has forked, as lines that part at a height, with the nodes at their ends.
// Heights are in their order, not to scale: one block and ten thousand are both to be seen.

import { el, setHidden, svg } from "./dom.js";
import { clipped, plural, short, whole } from "./text.js";

const WIDTH = 360;
const LANE = 44;
const LEFT = 8;
const RIGHT = 14;
const NAMED = 3; // nodes at an end by name; how many more there are is said
const SAID = 24; // the same in words

export class Forks {
  constructor() {
    this.element = el("figure", { class: "forks", hidden: true });
  }

  draw(branches) {
    setHidden(this.element, branches.length < 2);
    if (this.drawn === branches || branches.length < 2) return;
    this.drawn = branches;
    const words = branches.map((branch, place) => el("li", {}, inWords(branch, place)));
    const list = el("ul", {}, ...words);
    this.element.replaceChildren(el("h3", {}, "Fork"), picture(branches), el("figcaption", {}, list));
  }
}

function inWords(branch, place) {
  const nodes = `${plural(branch.nodes.length, "node")} (${names(branch)})`;
  const tip = `block ${whole(branch.tip_number)}, ${short(branch.tip_hash)}`;
  if (place === 0) return `The chain: ${nodes} at ${tip}.`;
  if (branch.parted_at === null) return `Parted at least ${plural(branch.depth, "block")} ago: ${nodes} at ${tip}.`;
  return `Parted at block ${whole(branch.parted_at)}: ${nodes} at ${tip}, ${plural(branch.depth, "block")} on.`;
}

function names({ nodes }) {
  const more = nodes.length - SAID;
  return nodes.slice(0, SAID).map(short).join(", ") + (more > 0 ? ` and ${whole(more)} more` : "");
}

function picture(branches) {
  const heights = new Set(branches.map((branch) => branch.tip_number));
  for (const { parted_at } of branches) if (parted_at !== null) heights.add(parted_at);
  const ordered = [...heights].sort((a, b) => a - b);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, ordered.length);
  const at = (height) => LEFT + (ordered.indexOf(height) + 1) * step;
  const height = branches.length * LANE + 14;
  const label = `${branches.length} branches. ${branches.map(inWords).join(" ")}`;
  const drawing = svg("svg", { role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${height}` });
  branches.forEach((branch, place) => drawing.append(...drawn(branch, place, at)));
  return drawing;
}

function drawn(branch, place, at) {
  const y = place * LANE + 30;
  const tip = at(branch.tip_number);
  let path = `M${LEFT} ${y}H${tip}`;
  const parts = [];
  if (place > 0 && branch.parted_at !== null) {
    const from = at(branch.parted_at);
    path = `M${from} 30L${Math.min(from + 14, tip)} ${y}H${tip}`;
    parts.push(svg("circle", { class: "parting", cx: from, cy: 30, r: 3 }));
    parts.push(text(from - 5, 44, "end", whole(branch.parted_at)));
  }
  const unknown = place > 0 && branch.parted_at === null;
  const kind = `${place === 0 ? "main" : "branch"} ${unknown ? "unknown" : ""}`;
  parts.unshift(svg("path", { class: kind, d: path }));
  parts.push(end(tip, y, place));
  const more = branch.nodes.length - NAMED;
  const ends = branch.nodes.slice(0, NAMED).map((name) => clipped(name, 13));
  const who = ends.join(", ") + (more > 0 ? ` +${more}` : "");
  // Above the chain's line, and below a branch's: there are no other lines.
  parts.push(text(WIDTH - 2, place === 0 ? y - 10 : y + 17, "end", `${who}: ${whole(branch.tip_number)}`));
  return parts;
}

// The chain ends in a disc, a branch in a diamond.
function end(x, y, place) {
  if (place === 0) return svg("circle", { class: "main", cx: x, cy: y, r: 5 });
  return svg("path", { class: "branch end", d: `M${x - 6} ${y}l6-6 6 6-6 6z` });
}

function text(x, y, anchor, said) {
  return svg("text", { x, y, "text-anchor": anchor }, said);
}
