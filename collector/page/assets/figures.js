// The figures of a chain: its head, how many have it, finality, quorum, traffic. What is not known is not shown, but for
// what everybody looks for.

import { arrange, el, setText } from "./dom.js";
import { age, duration, rough, share, short, signed, UNKNOWN, whole } from "./text.js";

// A block is the same by its hash, not by its height: nodes of a fork may be just as high.
function best(chain) {
  const up = [...chain.nodes.values()].filter((node) => node.state === "up");
  const there = up.filter((node) => node.head_hash && node.head_hash === chain.head_hash);
  return `${whole(there.length)} of ${whole(up.length)} nodes have it`;
}

function finality({ finality: final }) {
  if (!final) return null;
  const { expected_least: least, expected_most: most } = final;
  const expected = most === null ? "" : least === null || least === most ? `, ${whole(most)} expected` : `, ${whole(least)} to ${whole(most)} expected`;
  return `${whole(final.number)}: ${whole(final.lag)} behind${expected} (${final.kind})`;
}

function quorum({ making }) {
  if (!making) return null;
  const margin = making.margin === null ? "" : `, margin ${whole(making.margin)}`;
  return `${whole(making.active)} of ${whole(making.scheduled)} active, ${whole(making.needed)} needed${margin}`;
}

function filling({ traffic }) {
  if (!traffic) return null;
  const parts = [];
  if (traffic.gas_share !== null) parts.push(`${share(traffic.gas_share)} of the gas limit`);
  if (traffic.cpu_per_block !== null) parts.push(`CPU ${duration(traffic.cpu_per_block)}`);
  if (traffic.net_bytes_per_block !== null) parts.push(`${whole(traffic.net_bytes_per_block)} bytes`);
  if (traffic.empty_share !== null) parts.push(`${share(traffic.empty_share)} empty`);
  return parts.join(", ") || null;
}

function traffic({ traffic: told }) {
  if (!told || told.transactions_per_second === null) return null;
  const peak = told.peak_transactions_per_second;
  return `${rough(told.transactions_per_second)}/s${peak === null ? "" : `, peak ${rough(peak)}/s`}`;
}

function interval({ traffic: told, period }) {
  const parts = [];
  if (told && told.interval !== null) {
    parts.push(duration(told.interval));
    if (told.interval_p95 !== null) parts.push(`p95 ${duration(told.interval_p95)}`);
  }
  if (period === 0) parts.push("only when there are transactions");
  else if (period !== null) parts.push(`period ${duration(period)}`);
  return parts.join(", ") || null;
}

const propagation = (chain) => (chain.delay_p50 === null ? null : `${duration(chain.delay_p50)}, p95 ${duration(chain.delay_p95)}`);

const versions = (chain) =>
  chain.versions === null ? null : Object.entries(chain.versions).map(([version, count]) => `${version || UNKNOWN} × ${whole(count)}`).join(", ") || null;

const FIGURES = [
  ["Head", (chain) => whole(chain.head_number) + (chain.head_hash ? ` ${short(chain.head_hash)}` : "")],
  ["Its age", (chain, now) => (chain.head_time === null ? UNKNOWN : age(now - chain.head_time))],
  ["Best", best],
  ["Finality", finality],
  ["Quorum", quorum],
  ["Interval", interval],
  ["Transactions", traffic],
  ["Blocks hold", filling],
  ["Pool", (chain) => (chain.pool === null ? null : whole(chain.pool))],
  ["Propagation", propagation],
  ["Clock", (chain) => (chain.clock_skew === null ? null : signed(chain.clock_skew))],
  ["Versions", versions],
];

export class Figures {
  constructor() {
    this.element = el("dl", { class: "figures" });
    this.entries = FIGURES.map(([title, value]) => {
      const shown = el("dd");
      return { value, shown, element: el("div", {}, el("dt", {}, title), shown) };
    });
  }

  draw(chain, now) {
    const told = this.entries.filter((entry) => {
      const text = entry.value(chain, now);
      if (text !== null) setText(entry.shown, text);
      return text !== null;
    });
    arrange(this.element, told.map((entry) => entry.element));
  }
}
