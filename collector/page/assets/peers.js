// Who is connected to whom: the nodes in a circle; or, where they are many, each part that hangs together as a disc.

import { el, setHidden, setText, svg } from "./dom.js";
import { clipped, plural, short, whole } from "./text.js";

const MOST = 60; // nodes that a circle holds
const SIDE = 340;
const MIDDLE = SIDE / 2;
const NAMES = 70; // room for a name beside the circle
const SAID = 12; // names of a part at most, in words

export class Peers {
  constructor() {
    this.summary = el("summary");
    this.figure = el("figure");
    this.element = el("details", { class: "peers", hidden: true }, this.summary, this.figure);
    this.element.addEventListener("toggle", () => this.draw(this.peers, this.nodes));
  }

  draw(peers, nodes) {
    setHidden(this.element, !peers);
    this.peers = peers;
    this.nodes = nodes;
    if (!peers) return;
    const split = peers.parts.length > 1;
    if (this.split !== split) {
      this.split = split;
      if (split) this.element.open = true;
    }
    const how = split ? `${plural(peers.parts.length, "part")} that do not reach each other` : "all reach each other";
    const partial = peers.complete ? "" : "; not every node tells of its peers";
    setText(this.summary, `Peers: ${plural(peers.edges.length, "connection")}, ${how}${partial}`);
    const down = [...nodes.values()].filter((node) => node.state === "down").map((node) => node.node).join("\n");
    if (!this.element.open || (this.drawn === peers && this.down === down)) return;
    this.drawn = peers;
    this.down = down;
    const count = peers.parts.reduce((sum, part) => sum + part.length, 0);
    const label = `${plural(count, "node")}, ${plural(peers.edges.length, "connection")}, ${plural(peers.parts.length, "part")}`;
    const many = count > MOST;
    const top = many ? 0 : NAMES - 24; // names stand beside the circle, and take little above and below it
    const drawing = svg("svg", { role: "img", "aria-label": label, viewBox: `0 ${top} ${SIDE} ${SIDE - 2 * top}` });
    drawing.append(...(many ? clusters(peers) : circle(peers, nodes)));
    const parts = peers.parts.map((part, place) => el("li", {}, inWords(part, place)));
    this.figure.replaceChildren(drawing, el("figcaption", {}, el("ul", {}, ...parts)));
  }
}

function inWords(part, place) {
  const more = part.length - SAID;
  const names = part.slice(0, SAID).map(short).join(", ") + (more > 0 ? ` and ${whole(more)} more` : "");
  return `Part ${place + 1}, ${plural(part.length, "node")}: ${names}`;
}

function circle(peers, nodes) {
  const order = peers.parts.flat();
  const place = new Map(order.map((name, index) => [name, onCircle(index, order.length, MIDDLE - NAMES)]));
  const parts = peers.edges
    .filter(([a, b]) => place.has(a) && place.has(b))
    .map(([a, b]) => {
      const [from, to] = [place.get(a), place.get(b)];
      return svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y });
    });
  for (const [name, { x, y }] of place) {
    const gone = nodes.get(name)?.state === "down";
    const mark = gone ? svg("path", { class: "gone", d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8` }) : svg("circle", { cx: x, cy: y, r: 4.5 });
    mark.append(svg("title", {}, name));
    parts.push(mark);
    if (order.length <= 24) parts.push(named(name, x, y));
  }
  return parts;
}

function onCircle(index, count, radius) {
  const angle = (2 * Math.PI * index) / count - Math.PI / 2;
  const round = (value) => Math.round(value * 10) / 10;
  return { x: round(MIDDLE + radius * Math.cos(angle)), y: round(MIDDLE + radius * Math.sin(angle)) };
}

function named(name, x, y) {
  const anchor = Math.abs(x - MIDDLE) < 10 ? "middle" : x > MIDDLE ? "start" : "end";
  const aside = anchor === "middle" ? 0 : x > MIDDLE ? 8 : -8;
  const below = anchor === "middle" ? (y > MIDDLE ? 16 : -8) : 4;
  return svg("text", { x: x + aside, y: y + below, "text-anchor": anchor }, clipped(name, 9));
}

function clusters(peers) {
  const shown = peers.parts.slice(0, MOST);
  const largest = Math.max(...shown.map((part) => part.length));
  const most = shown.length === 1 ? 100 : 200 / shown.length + 15;
  return shown.flatMap((part, index) => {
    const { x, y } = shown.length === 1 ? { x: MIDDLE, y: MIDDLE } : onCircle(index, shown.length, MIDDLE - 70);
    const radius = Math.max(9, most * Math.sqrt(part.length / largest));
    return [
      svg("circle", { class: "cluster", cx: x, cy: y, r: radius.toFixed(1) }),
      svg("text", { x, y: y + 4, "text-anchor": "middle" }, whole(part.length)),
    ];
  });
}
