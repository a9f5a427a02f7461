// Where a node or a chain stands, in a word with an icon, and how bad that is.

export const STANDINGS = {
  down: "does not answer",
  foreign: "is on another network",
  forked: "is on a branch that is not the chain",
  behind: "is behind the others",
  syncing: "is catching up",
  paused: "makes no blocks: production is paused",
  unknown: "was not asked yet",
  suspect: "answers and is on the chain, but there is a finding about it, which it names",
  up: "answers, and is on the chain",
};

export const RANKS = { critical: 3, warning: 2, info: 1 };

const WORDS = { foreign: "foreign", forked: "on a fork" };

export const wordOf = (standing) => WORDS[standing] ?? standing;

const TONES = { down: "critical", foreign: "critical", forked: "critical", behind: "warning", paused: "warning", suspect: "warning", syncing: "info", unknown: "info" };

export const toneOf = (standing) => TONES[standing] ?? "fine";

const serious = (finding) => RANKS[finding.severity] > RANKS.info;

// What is wrong with a node that is suspect: the worst that is said of it.
export const suspicionOf = (findings) => findings.find(serious)?.signal.replaceAll("_", " ") ?? "";

// `findings` are those about the node, the worst first.
export function standingOf(node, findings) {
  if (node.state === "down") return "down";
  if (node.state === "unknown") return "unknown";
  if (node.foreign) return "foreign";
  if (node.branch > 0) return "forked";
  if (findings.some((finding) => finding.signal === "behind" || finding.signal === "balancer_behind")) return "behind";
  if (node.syncing) return "syncing";
  if (node.paused) return "paused";
  return findings.some(serious) ? "suspect" : "up";
}

// The worst of a chain's findings; of one without, whether anything is known.
export const severityOf = (chain) => chain.severity ?? (chain.head_number === null ? "unknown" : "fine");

// How far up a node belongs where what is wrong comes first.
export function trouble(standing, findings) {
  const worst = Math.max(0, ...findings.map((finding) => RANKS[finding.severity]));
  return Math.max(worst, RANKS[toneOf(standing)] ?? 0);
}

// The findings by what they are about.
export function bySubject(findings) {
  const found = new Map();
  for (const finding of findings) {
    if (finding.subject) found.set(finding.subject, [...(found.get(finding.subject) ?? []), finding]);
  }
  return found;
}
