// The events of the collector, and whether they come.

const SILENCE = 5000; // milliseconds without an event, after which the collector counts as gone
const AGAIN = 3000;

export class Stream {
  // `told` is called with ("state" or "change", document).
  constructor(told) {
    this.told = told;
    this.last = performance.now();
    this.known = false;
    this.troubled = false; // the collector lives, and can't say how the chains are
    this.open();
    // A browser gives up for good where it is refused; and one that slept has a connection that is dead and doesn't know.
    setInterval(() => {
      const closed = this.source.readyState === EventSource.CLOSED;
      if (closed || performance.now() - this.opened > 4 * SILENCE && this.silence > 4 * SILENCE) this.open();
    }, AGAIN);
  }

  get silence() {
    return performance.now() - this.last;
  }

  get gone() {
    return this.silence > SILENCE;
  }

  open() {
    this.source?.close();
    this.opened = performance.now();
    const source = new EventSource("api/events");
    for (const kind of ["state", "change"]) {
      source.addEventListener(kind, (event) => {
        this.last = performance.now();
        this.known = true;
        this.troubled = false;
        this.told(kind, JSON.parse(event.data));
      });
    }
    source.addEventListener("trouble", () => {
      this.troubled = true;
    });
    source.addEventListener("error", () => {
      this.troubled = false;
    });
    this.source = source;
  }
}
