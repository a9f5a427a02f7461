// A chain's part of the page: its state in a sentence, what is wrong, figures, makers, branches, nodes, peers.

import { el, setAttribute, setText } from "./dom.js";
import { Figures } from "./figures.js";
import { Findings } from "./findings.js";
import { Forks } from "./forks.js";
import { icon } from "./icons.js";
import { Makers } from "./makers.js";
import { Nodes } from "./nodes.js";
import { Peers } from "./peers.js";
import { RANKS, severityOf } from "./standing.js";
import { timeOf } from "./state.js";
import { clipped, plural, short } from "./text.js";

const FEW = 30; // nodes that are shown of a chain in health, without being asked for

let count = 0;

export class Chain {
  constructor(name, isPublic, actions) {
    const id = `chain-${(count += 1)}`;
    this.mark = el("span", { class: "mark" });
    this.sentence = el("p", { class: "sentence" });
    this.findings = new Findings();
    this.figures = new Figures();
    this.makers = new Makers();
    this.forks = new Forks();
    this.nodes = new Nodes(name, isPublic, {
      ...actions,
      pin: (node) => actions.pin(name, node),
      forget: (node) => actions.forget(name, node),
    });
    this.peers = new Peers();
    this.summary = el("summary");
    this.details = el("details", { class: "table" }, this.summary, this.nodes.element);
    this.details.addEventListener("toggle", actions.redraw);
    this.element = el(
      "section",
      { class: "chain", "aria-labelledby": id },
      el("h2", { id }, this.mark, short(name)),
      this.sentence,
      this.findings.element,
      this.figures.element,
      this.makers.element,
      this.forks.element,
      this.details,
      this.peers.element,
    );
  }

  // Draws all of it, in steps.
  *draw(chain, view) {
    const now = timeOf(chain);
    const severity = severityOf(chain);
    if (this.severity !== severity) {
      // Nodes come into sight by themselves when something goes wrong; whoever closes them again is let.
      if (!RANKS[this.severity]) {
        this.details.open = Boolean(RANKS[severity]) || chain.nodes.size <= FEW || view.chain === chain.chain;
      }
      this.severity = severity;
      this.mark.replaceChildren(icon(severity), el("span", { class: "severity" }, severity), " ");
      setAttribute(this.element, "class", `chain ${severity}`);
    }
    setText(this.sentence, clipped(chain.sentence));
    this.findings.draw(chain.findings, now);
    yield;
    this.figures.draw(chain, now);
    this.makers.draw(chain.making, now);
    yield;
    this.forks.draw(chain.branches);
    yield;
    this.peers.draw(chain.peers, chain.nodes);
    setText(this.summary, plural(chain.nodes.size, "node"));
    yield;
    if (this.details.open) yield* this.nodes.draw(chain, view, now);
  }
}
