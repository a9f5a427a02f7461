// Who makes the blocks, in the order of their turns: who is at it, who is next, and how the last turns went.

import { arrange, el, setAttribute, setHidden, setText } from "./dom.js";
import { icon, outcome, squares } from "./icons.js";
import { age, clipped, plural, share, short, whole } from "./text.js";

const OUTCOMES = { made: "made", partly: "partly made", missed: "missed", none: "with nothing due" };

export class Makers {
  constructor() {
    this.heading = el("h3");
    this.verdict = el("p");
    this.list = el("ol", { class: "makers" });
    this.entries = new Map();
    this.element = el("section", { class: "making" }, this.heading, this.verdict, this.list);
  }

  draw(making, now) {
    setHidden(this.element, !making);
    if (!making) return;
    if (this.drawn !== making) {
      setText(this.heading, making.kind === "clique" ? "Signers" : "Schedule");
      setText(this.verdict, clipped(making.verdict) || verdict(making));
      arrange(this.list, making.makers.map((maker) => this.entry(maker).element));
      const names = new Set(making.makers.map((maker) => maker.name));
      for (const name of this.entries.keys()) if (!names.has(name)) this.entries.delete(name);
      this.drawn = making;
    }
    for (const maker of making.makers) this.entries.get(maker.name).draw(maker, now);
  }

  entry(maker) {
    let entry = this.entries.get(maker.name);
    if (!entry) this.entries.set(maker.name, (entry = new Entry(maker.name)));
    return entry;
  }
}

function verdict({ scheduled, active, needed, margin }) {
  if (active === null) return `${plural(scheduled, "maker")}; how many are active is unknown.`;
  const may = margin === null ? "" : margin > 0 ? `; ${whole(margin)} more may fail` : "; no more may fail";
  return `${whole(active)} of ${whole(scheduled)} are active, it takes ${whole(needed)}${may}.`;
}

class Entry {
  constructor(name) {
    this.turn = el("span", { class: "turn" });
    this.about = el("span", { class: "about" });
    this.rounds = el("span", { class: "rounds" });
    const shown = el("span", { class: "name", title: name }, short(name));
    this.element = el("li", {}, shown, this.turn, this.rounds, this.about);
  }

  draw(maker, now) {
    const state = maker.current ? "now" : maker.active === false ? "absent" : !maker.scheduled ? "retired" : "";
    if (this.state !== state) {
      this.state = state;
      setAttribute(this.element, "class", state || "waiting");
      setAttribute(this.element, "aria-current", maker.current ? "true" : null);
      this.turn.replaceChildren(...(state === "now" ? [icon("now"), "now"] : state === "absent" ? [icon("down"), "absent"] : [""]));
    }
    if (state === "retired") setText(this.turn, "not scheduled");
    if (state === "") setText(this.turn, next(maker, now));
    if (this.drawn === maker) return;
    if (this.drawn?.rounds !== maker.rounds) {
      const kinds = maker.rounds.map(outcome);
      this.rounds.replaceChildren(...(kinds.length ? [squares(kinds, summary(kinds))] : []));
    }
    setText(this.about, about(maker));
    this.drawn = maker;
  }
}

function next(maker, now) {
  return maker.next_turn === null || maker.next_turn < now ? "" : `in ${age(maker.next_turn - now)}`;
}

function summary(kinds) {
  const counts = Object.keys(OUTCOMES).map((kind) => [kind, kinds.filter((other) => other === kind).length]);
  const said = counts.filter(([, count]) => count).map(([kind, count]) => `${count} ${OUTCOMES[kind]}`);
  return `Last ${plural(kinds.length, "turn")}: ${said.join(", ")}`;
}

function about(maker) {
  const parts = [];
  if (maker.last_block !== null) parts.push(`last ${whole(maker.last_block)}`);
  if (maker.missed_rounds_in_a_row) parts.push(`${plural(maker.missed_rounds_in_a_row, "round")} missed in a row`);
  else if (maker.missed_blocks) parts.push(`${whole(maker.missed_blocks)} missed in all`);
  if (maker.doubles) parts.push(`${plural(maker.doubles, "double")}`);
  if (maker.empty_share) parts.push(`${share(maker.empty_share)} empty`);
  return parts.join(", ");
}
