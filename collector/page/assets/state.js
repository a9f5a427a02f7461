// What is known of all chains. Events change it; what an event leaves alone stays the same object, so that whoever
// draws sees by identity what there is to draw anew.

export class State {
  constructor() {
    this.public = false;
    this.chains = new Map(); // by name; a chain's `nodes` are a Map by name, too
  }

  // Takes the whole.
  take(whole) {
    this.public = whole.public;
    this.chains = new Map(whole.chains.map((chain) => [chain.chain, asKept(chain, new Map())]));
  }

  // Takes what has changed.
  change(change) {
    for (const name of change.gone) this.chains.delete(name);
    for (const chain of change.chains) {
      const before = this.chains.get(chain.chain);
      this.chains.set(chain.chain, { ...before, ...asKept(chain, before?.nodes ?? new Map()) });
    }
  }
}

function asKept(chain, before) {
  const { gone = [], ...changed } = chain;
  const nodes = new Map(before);
  for (const name of gone) nodes.delete(name);
  for (const node of chain.nodes) nodes.set(node.node, { ...nodes.get(node.node), ...node });
  return { ...changed, nodes, received: performance.now() };
}

// The chain's time at this moment: that of what it said last, and what has passed since.
export const timeOf = (chain) => chain.at + (performance.now() - chain.received) / 1000;
