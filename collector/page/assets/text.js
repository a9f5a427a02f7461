// Numbers, times and names as people read them. What is unknown is a dash, never a 0.

export const UNKNOWN = "–";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const COLLATOR = new Intl.Collator("en", { numeric: true });

const known = (value) => value !== null && value !== undefined;

export const byName = (a, b) => COLLATOR.compare(a, b);

export const whole = (value) => (known(value) ? WHOLE.format(value) : UNKNOWN);

// A rate or another number of which the first digits matter.
export const rough = (value) => (known(value) ? (value < 10 ? value.toFixed(1) : WHOLE.format(value)) : UNKNOWN);

export const share = (value) => (known(value) ? `${Math.round(value * 100)} %` : UNKNOWN);

export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const size = Math.abs(seconds);
  if (size < 1) return `${Math.round(seconds * 1000)} ms`;
  if (size < 10) return `${seconds.toFixed(1)} s`;
  if (size < 120) return `${Math.round(seconds)} s`;
  if (size < 7200) return `${Math.round(seconds / 60)} min`;
  if (size < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

// An age that ticks: no tenths, which would only flicker.
export function age(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const passed = Math.max(0, seconds);
  return passed < 120 ? `${Math.floor(passed)} s` : duration(passed);
}

// Control characters, and those that turn the direction of whatever stands after them.
const TURNING = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// What somebody wrote, no longer than anybody reads, and harmless to the text that it stands in.
export function clipped(text, most = 1000) {
  return (text.length > most ? `${text.slice(0, most)}…` : text).replace(TURNING, "\ufffd");
}

export const signed = (seconds) => (known(seconds) ? (seconds > 0 ? "+" : "") + duration(seconds) : UNKNOWN);

const LONGEST_NAME = 80;

// Addresses and hashes are told by their ends, and of a name without end the beginning will do.
export const short = (name) =>
  /^(0x)?[0-9a-f]{16,100}$/i.test(name) ? `${name.slice(0, 8)}…${name.slice(-4)}` : clipped(name, LONGEST_NAME);

export const plural = (count, one, more = `${one}s`) => `${whole(count)} ${count === 1 ? one : more}`;
