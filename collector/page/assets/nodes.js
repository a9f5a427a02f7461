// The table of a chain's nodes: a row for each that stays the same element, and cells that are written when they differ.

import { arranging, el, setAttribute, setHidden, setText } from "./dom.js";
import { icon } from "./icons.js";
import { drawSparkline, sparkline } from "./sparkline.js";
import { bySubject, standingOf, suspicionOf, toneOf, trouble, wordOf } from "./standing.js";
import { age, byName, clipped, duration, share, short, signed, UNKNOWN, whole } from "./text.js";

const peers = (node) => whole(node.peers) + (node.strangers ? ` (${whole(node.strangers)} unknown)` : "");

// key, title, what it is sorted by, what is shown, and whether it is in the public view. Without `shown`, the row draws it.
const COLUMNS = [
  { key: "node", title: "Node", value: (node) => node.node },
  { key: "state", title: "State", value: (node, row) => row.standing },
  { key: "lag", title: "Lag", number: true, value: (node) => node.lag_blocks, shown: (node) => whole(node.lag_blocks) },
  { key: "head", title: "Height", number: true, value: (node) => node.head_number, shown: (node) => whole(node.head_number) },
  { key: "lags", title: "Lags", value: (node) => Math.max(...node.lags.map((lag) => lag ?? 0), 0) },
  { key: "role", title: "Role", value: (node) => node.role, shown: (node) => short(node.role) || UNKNOWN },
  { key: "peers", title: "Peers", number: true, value: (node) => node.peers, shown: peers },
  { key: "latency", title: "Latency", number: true, value: (node) => node.latency, shown: (node) => duration(node.latency) },
  { key: "failed", title: "Failed", number: true, value: (node) => node.failed_share, shown: (node) => share(node.failed_share) },
  { key: "delay", title: "Delay", number: true, value: (node) => node.delay_p50, shown: (node) => duration(node.delay_p50) },
  { key: "clock", title: "Clock", number: true, value: (node) => node.clock_skew, shown: (node) => signed(node.clock_skew) },
  { key: "pool", title: "Pool", number: true, value: (node) => node.pool, shown: (node) => whole(node.pool) },
  { key: "answer", title: "Last answer", number: true, value: (node) => node.last_answer },
  { key: "version", title: "Version", value: (node) => node.version, shown: (node) => clipped(node.version) || UNKNOWN, named: true },
  { key: "address", title: "Address", value: (node) => node.address, shown: (node) => clipped(node.address) || UNKNOWN, named: true },
];

const SETTLED = 2000; // milliseconds for which rows keep their order, for who wants to read or press one

const MANY = 100; // rows, above which those out of sight are not laid out

const columnsOf = (isPublic) => COLUMNS.filter((column) => !(isPublic && column.named));

export class Nodes {
  // `actions` are {pin(node), sort(key), forget(node)}.
  constructor(chain, isPublic, actions) {
    this.actions = actions;
    this.public = isPublic;
    this.rows = new Map();
    this.columns = columnsOf(isPublic);
    this.heads = new Map();
    // The style makes grids of the rows; the roles say that it is a table all the same.
    this.body = el("tbody", { role: "rowgroup" });
    const head = el("tr", { role: "row" }, el("th", { role: "columnheader", class: "pin" }, el("span", { class: "heard" }, "Pin")));
    for (const column of this.columns) {
      const button = el("button", { type: "button" }, column.title);
      button.addEventListener("click", () => actions.sort(column.key));
      const cell = el("th", { role: "columnheader", class: `${column.key} ${column.number ? "number" : ""}` }, button);
      this.heads.set(column.key, cell);
      head.append(cell);
    }
    if (!isPublic) head.append(el("th", { role: "columnheader", class: "forget" }, el("span", { class: "heard" }, "Forget")));
    const caption = el("caption", { class: "heard" }, `Nodes of ${chain}`);
    this.none = el("p", { class: "none", hidden: true });
    this.table = el("table", { role: "table", class: isPublic ? "public" : null }, caption, el("thead", { role: "rowgroup" }, head), this.body);
    // A table that is wider than the screen scrolls by itself, also by the keyboard.
    const scrolled = el("div", { class: "scrolled", role: "region", tabindex: "0", "aria-label": `Nodes of ${chain}, table` }, this.table);
    this.element = el("div", { class: "nodes" }, scrolled, this.none);
  }

  // Draws the nodes as they are `now`, a row in each step.
  *draw(chain, view, now) {
    const subjects = bySubject(chain.findings);
    const matches = matching(view);
    this.table.classList.toggle("many", chain.nodes.size > MANY);
    let shown = 0;
    for (const node of chain.nodes.values()) {
      let row = this.rows.get(node.node);
      if (!row) {
        row = new Row(node.node, this.columns, this.public, this.actions);
        this.rows.set(node.node, row);
        this.body.append(row.element);
      }
      row.judge(node, subjects.get(node.node) ?? NONE);
      const visible = matches(node, row);
      setHidden(row.element, !visible);
      if (visible) {
        shown += 1;
        row.draw(node, view.pinned(chain.chain, node.node), now);
      }
      yield;
    }
    for (const [name, row] of this.rows) {
      if (!chain.nodes.has(name)) {
        row.element.remove();
        this.rows.delete(name);
      }
    }
    setText(this.none, chain.nodes.size ? "No node is left by the filter." : "No node is known yet.");
    setHidden(this.none, shown > 0);
    yield;
    const asked = JSON.stringify([view.query(), chain.nodes.size, shown]);
    if (asked === this.asked && performance.now() - this.sorted < SETTLED) return;
    this.asked = asked;
    this.sorted = performance.now();
    yield* this.sort(chain, view);
  }

  *sort(chain, view) {
    const { key, down } = view.order;
    for (const [name, cell] of this.heads) {
      setAttribute(cell, "aria-sort", name === key ? (down ? "descending" : "ascending") : null);
    }
    const column = this.columns.find((known) => known.key === key);
    const rows = [...chain.nodes.values()].map((node) => {
      const row = this.rows.get(node.node);
      return { node, row, pinned: view.pinned(chain.chain, node.node), value: column ? column.value(node, row) : row.trouble };
    });
    const compare = column ? comparing(down) : (a, b) => b - a;
    rows.sort((a, b) => b.pinned - a.pinned || compare(a.value, b.value) || byName(a.node.node, b.node.node));
    yield* arranging(this.body, rows.map(({ row }) => row.element));
  }
}

const NONE = [];

// What is unknown comes last, whichever way the rest is sorted.
function comparing(down) {
  return (a, b) => {
    const unknown = (a === null || a === undefined || a === "") - (b === null || b === undefined || b === "");
    if (unknown) return unknown;
    const order = typeof a === "string" ? byName(a, b) : a - b;
    return down ? -order : order;
  };
}

// Tells which nodes the filters leave.
function matching(view) {
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  return (node, row) => {
    if (view.role && node.role !== view.role) return false;
    if (view.state && row.standing !== view.state) return false;
    const text = words.length ? `${node.node} ${node.role} ${node.version} ${node.address}`.toLowerCase() : "";
    return words.every((word) => text.includes(word));
  };
}

class Row {
  constructor(name, columns, isPublic, actions) {
    this.element = el("tr", { role: "row" });
    this.cells = new Map();
    this.pin = el("button", { type: "button", "aria-pressed": "false", "aria-label": `Pin ${name}` }, icon("pin"));
    this.pin.addEventListener("click", () => actions.pin(name));
    this.element.append(el("td", { role: "cell", class: "pin" }, this.pin));
    for (const column of columns) {
      const heading = column.key === "node";
      const cell = el(heading ? "th" : "td", { class: `${column.key} ${column.number ? "number" : ""}`, role: heading ? "rowheader" : "cell" });
      this.cells.set(column, cell);
      this.element.append(cell);
      if (heading) cell.append(el("span", { title: name }, short(name)));
      if (column.key === "state") this.stateCell = cell;
      if (column.key === "answer") this.answerCell = cell;
      if (column.key === "lags") cell.append((this.line = sparkline()));
    }
    if (!isPublic) {
      this.forget = el("button", { type: "button", hidden: true, "aria-label": `Forget ${name}` }, "forget");
      this.forget.addEventListener("click", () => actions.forget(name));
      this.element.append(el("td", { role: "cell", class: "forget" }, this.forget));
    }
  }

  judge(node, findings) {
    this.standing = standingOf(node, findings);
    this.trouble = trouble(this.standing, findings);
    this.word = this.standing === "suspect" ? suspicionOf(findings) : wordOf(this.standing);
  }

  draw(node, pinned, now) {
    const last = node.last_answer;
    setText(this.answerCell, (last === null ? UNKNOWN : age(now - last)) + (node.pushes ? ", pushes" : ""));
    setAttribute(this.pin, "aria-pressed", String(pinned));
    const shown = `${this.standing} ${this.word}`;
    if (this.shownState !== shown) {
      this.shownState = shown;
      this.stateCell.replaceChildren(icon(this.standing), el("span", {}, this.word));
      setAttribute(this.element, "class", toneOf(this.standing));
    }
    if (this.drawn === node) return;
    for (const [column, cell] of this.cells) {
      if (!column.shown) continue;
      const text = column.shown(node);
      setText(cell, text);
      if (column.named) setAttribute(cell, "title", text);
    }
    if (this.drawn?.lags !== node.lags) drawSparkline(this.line, node.lags);
    if (this.forget) setHidden(this.forget, !node.forgettable);
    this.drawn = node;
  }
}
