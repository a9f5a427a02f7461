// The page as a whole: events change the state, the state and the view are drawn.

import { Chain } from "./chain.js";
import { Controls } from "./controls.js";
import { arrange, setText } from "./dom.js";
import { legend } from "./legend.js";
import { Slices } from "./slices.js";
import { RANKS, severityOf } from "./standing.js";
import { State } from "./state.js";
import { Stream } from "./stream.js";
import { age, byName, plural } from "./text.js";
import { View } from "./view.js";

const main = document.querySelector("#chains");
const connection = document.querySelector("#connection");
const announcement = document.querySelector("#announcement");

const state = new State();
const slices = new Slices();
const view = new View(draw);
const controls = new Controls(view);
const drawings = new Map();
const announced = new Map();
let drawnAt = 0;
let shownPublic = null;

const actions = {
  sort: (key) => view.sortBy(key),
  pin: (chain, node) => view.pin(chain, node),
  forget,
  redraw: draw,
};

const stream = new Stream((kind, told) => {
  if (kind === "state") state.take(told);
  else state.change(told);
  draw();
});

document.querySelector("#legend").append(legend());
setInterval(tick, 1000);

function tick() {
  drawConnection();
  // Events draw, too: this is for when none comes.
  if (stream.known && performance.now() - drawnAt > 1500) draw();
}

function draw() {
  drawnAt = performance.now();
  slices.add("", drawPage);
}

function* drawPage() {
  drawConnection();
  if (!stream.known) return;
  if (shownPublic !== state.public) {
    shownPublic = state.public;
    drawings.clear(); // they have other columns
  }
  controls.draw(state);
  announce();
  yield;
  const shown = [...state.chains.values()].filter((chain) => !view.chain || chain.chain === view.chain);
  const rank = (chain) => RANKS[chain.severity] ?? (severityOf(chain) === "unknown" ? 0.5 : 0); // not known to be fine
  shown.sort((a, b) => rank(b) - rank(a) || byName(a.chain, b.chain));
  for (const name of drawings.keys()) if (!state.chains.has(name)) drawings.delete(name);
  for (const { chain } of shown) if (!drawings.has(chain)) drawings.set(chain, new Chain(chain, state.public, actions));
  arrange(main, shown.map(({ chain }) => drawings.get(chain).element));
  yield;
  for (const chain of shown) yield* drawings.get(chain.chain).draw(chain, view);
}

function drawConnection() {
  const gone = stream.gone;
  document.documentElement.classList.toggle("gone", gone);
  const chains = [...state.chains.values()];
  const wrong = chains.filter((chain) => chain.severity !== null);
  const dark = chains.filter((chain) => severityOf(chain) === "unknown");
  document.title = `${gone ? "(gone) " : wrong.length ? `(${wrong.length}) ` : ""}chainwatch`;
  if (gone) {
    const why = stream.troubled ? "the collector runs, but can't say how the chains are; its log says why" : "the collector is gone or can't be reached";
    setText(connection, `No news for ${age(stream.silence / 1000)}: ${why}.`);
  } else if (stream.known) {
    const health = [wrong.length ? `${wrong.length} with findings` : "", dark.length ? `${dark.length} unknown` : ""].filter(Boolean);
    const how = health.join(", ") || "all in health";
    setText(connection, `Live. ${chains.length ? `${plural(chains.length, "chain")}, ${how}.` : "No chains."}`);
  }
}

// Says aloud which chain is in another state than before, and not each time that a number in its sentence changes.
function announce() {
  const news = [];
  for (const { chain, severity, findings, sentence } of state.chains.values()) {
    const key = JSON.stringify([severity, findings.filter((finding) => !finding.subject).map((finding) => finding.signal)]);
    if (announced.has(chain) && announced.get(chain) !== key) news.push(`${chain}: ${sentence}`);
    announced.set(chain, key);
  }
  for (const chain of announced.keys()) if (!state.chains.has(chain)) announced.delete(chain);
  if (news.length) setText(announcement, news.join(" "));
}

async function forget(chain, node) {
  let said = `${node} is forgotten.`;
  try {
    const answer = await fetch("api/forget", { method: "POST", body: JSON.stringify({ chain, node }) });
    if (!answer.ok) said = `${node} was not forgotten: ${(await answer.text()).trim()}`;
  } catch {
    said = `${node} was not forgotten: the collector can't be reached.`;
  }
  setText(announcement, said);
}
