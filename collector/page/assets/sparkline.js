// A node's lag at its last gathers as a line: up is behind, a gap is a gather without an answer.

import { setAttribute, svg } from "./dom.js";
import { whole } from "./text.js";

const WIDTH = 90;
const HEIGHT = 16;
const MOST = 60;

export function sparkline() {
  const line = svg("path");
  return svg("svg", { class: "sparkline", role: "img", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT }, line);
}

export function drawSparkline(element, lags) {
  const known = lags.filter((lag) => lag !== null);
  const highest = Math.max(4, ...known);
  const step = WIDTH / (MOST - 1);
  const first = MOST - lags.length;
  let path = "";
  let drawing = false;
  lags.forEach((lag, place) => {
    if (lag !== null) {
      const x = ((first + place) * step).toFixed(1);
      const y = (HEIGHT - 1.5 - (Math.max(0, lag) / highest) * (HEIGHT - 3)).toFixed(1);
      path += drawing ? `L${x} ${y}` : `M${x} ${y}h.1`;
    }
    drawing = lag !== null;
  });
  setAttribute(element.firstChild, "d", path);
  const now = lags.at(-1) ?? null;
  const said = known.length ? `lag now ${now === null ? "unknown" : whole(now)}, at most ${whole(Math.max(...known))}` : "lag unknown";
  setAttribute(element, "aria-label", `${said}, in ${lags.length} gathers`);
}
