// How the page is looked at: sort, filters, pins and the chain that is selected. All of it is in the URL, so that a link
// shows the same to somebody else.

const TEXTS = ["chain", "filter", "role", "state", "sort"];

export class View {
  constructor(changed) {
    this.changed = changed;
    this.read();
    addEventListener("popstate", () => {
      this.read();
      this.changed();
    });
  }

  read() {
    const given = new URLSearchParams(location.search);
    for (const name of TEXTS) this[name] = given.get(name) ?? "";
    this.pins = new Set(given.getAll("pin"));
  }

  // The query of the URL that shows this view, with other values for some of it.
  query(other = {}) {
    const query = new URLSearchParams();
    for (const name of TEXTS) {
      const value = other[name] ?? this[name];
      if (value) query.set(name, value);
    }
    for (const pin of this.pins) query.append("pin", pin);
    return `?${query}`;
  }

  set(other) {
    Object.assign(this, other);
    const query = this.query();
    history.replaceState(null, "", query === "?" ? location.pathname : query);
    this.changed();
  }

  pinned(chain, node) {
    return this.pins.has(`${chain}/${node}`);
  }

  pin(chain, node) {
    const pins = new Set(this.pins);
    const name = `${chain}/${node}`;
    if (!pins.delete(name)) pins.add(name);
    this.set({ pins });
  }

  // By what the tables are sorted: {key, down}; without a key, what is wrong comes first.
  get order() {
    return { key: this.sort.replace("-", ""), down: this.sort.startsWith("-") };
  }

  // Up, down, and back to what is wrong first.
  sortBy(key) {
    const { key: now, down } = this.order;
    this.set({ sort: now !== key ? key : down ? "" : `-${key}` });
  }
}
