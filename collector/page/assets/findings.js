// What is wrong with a chain, the worst first, each with a link to what it means and what to do.

import { arrange, el, setHidden, setText } from "./dom.js";
import { icon } from "./icons.js";
import { age, clipped, short } from "./text.js";

export const RUNBOOKS = "runbooks/"; // what comes before a signal's name in the link

export class Findings {
  constructor() {
    // Read out as they are added; not each time that one of their figures changes.
    this.element = el("ul", { class: "findings", "aria-live": "polite", "aria-relevant": "additions" });
    this.entries = new Map();
  }

  draw(findings, now) {
    const shown = findings.map((finding) => {
      const name = JSON.stringify([finding.signal, finding.subject, finding.severity]);
      let entry = this.entries.get(name);
      if (!entry) this.entries.set(name, (entry = new Entry(finding)));
      entry.draw(finding, now);
      return [name, entry];
    });
    const names = new Set(shown.map(([name]) => name));
    for (const name of this.entries.keys()) if (!names.has(name)) this.entries.delete(name);
    arrange(this.element, shown.map(([, entry]) => entry.element));
  }
}

class Entry {
  constructor({ signal, severity, subject }) {
    this.text = el("span", { class: "text" });
    this.since = el("span", { class: "since" });
    const link = el("a", { href: RUNBOOKS + encodeURIComponent(signal) }, signal);
    this.subject = el("strong", { title: subject }, short(subject));
    const word = el("span", { class: "severity" }, severity);
    this.element = el("li", { class: severity }, icon(severity), word, " ", link, " ", this.subject, " ", this.text, " ", this.since);
  }

  draw(finding, now) {
    setText(this.text, clipped(finding.text));
    const told = [finding.subject, short(finding.subject)].some((name) => finding.text.includes(name));
    setHidden(this.subject, told); // the sentence names it, but for the public view's
    setText(this.since, `for ${age(now - finding.since)}`);
  }
}
