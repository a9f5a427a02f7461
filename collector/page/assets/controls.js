// What is chosen: the chain, the filters. They follow the URL, and change it.

import { arrange, el, setAttribute } from "./dom.js";
import { icon } from "./icons.js";
import { severityOf, STANDINGS, wordOf } from "./standing.js";
import { byName, short } from "./text.js";

export class Controls {
  constructor(view) {
    this.view = view;
    this.form = document.querySelector("#controls");
    this.selection = document.querySelector("#selection");
    this.links = new Map();
    for (const name of Object.keys(STANDINGS)) this.form.elements.state.append(el("option", { value: name }, wordOf(name)));
    this.form.addEventListener("input", (event) => view.set({ [event.target.name]: event.target.value }));
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  draw(state) {
    this.offerRoles(state);
    for (const name of ["filter", "role", "state"]) {
      const control = this.form.elements[name];
      if (control !== document.activeElement && control.value !== this.view[name]) control.value = this.view[name];
    }
    const names = ["", ...[...state.chains.keys()].sort(byName)];
    this.selection.hidden = names.length < 3 && !this.view.chain;
    for (const name of this.links.keys()) if (!names.includes(name)) this.links.delete(name);
    arrange(this.selection, names.map((name) => this.link(name, state.chains.get(name))));
  }

  link(name, chain) {
    let link = this.links.get(name);
    if (!link) {
      link = el("a", {}, short(name) || "All chains");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab: as any link
        event.preventDefault();
        this.view.set({ chain: name });
      });
      this.links.set(name, link);
    }
    setAttribute(link, "href", this.view.query({ chain: name }));
    setAttribute(link, "aria-current", this.view.chain === name ? "true" : null);
    const severity = chain ? severityOf(chain) : "";
    if (link.dataset.severity !== severity) {
      link.dataset.severity = severity;
      const mark = chain ? [icon(severity), el("span", { class: "heard" }, `${severity}: `)] : [];
      link.replaceChildren(...mark, short(name) || "All chains");
    }
    return link;
  }

  offerRoles(state) {
    const roles = new Set(this.view.role ? [this.view.role] : []);
    for (const chain of state.chains.values()) for (const node of chain.nodes.values()) if (node.role) roles.add(node.role);
    const offered = [...roles].sort(byName);
    const key = JSON.stringify(offered);
    if (this.offered === key) return;
    this.offered = key;
    const select = this.form.elements.role;
    select.replaceChildren(el("option", { value: "" }, "all"), ...offered.map((role) => el("option", { value: role }, short(role))));
    select.value = this.view.role;
  }
}
