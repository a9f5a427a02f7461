// Drawing in slices: a few milliseconds in each frame, however much there is to draw, so that the page always answers.

const BUDGET = 6; // milliseconds of a frame

export class Slices {
  constructor() {
    this.waiting = new Map();
    this.current = null;
    this.asked = false;
  }

  // Does a job soon. `make` returns an iterator, each step of which is a little of it; what a step yields is what it will
  // cost beyond its own time, in milliseconds. A job of the same name that has
  // not begun is replaced; one that has begun ends first.
  add(name, make) {
    this.waiting.set(name, make);
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.run());
  }

  run() {
    this.asked = false;
    let until = performance.now() + BUDGET;
    do {
      this.current ??= this.next();
      const { done, value } = this.current.next();
      if (done) this.current = null;
      else until -= value ?? 0;
    } while ((this.current || this.waiting.size) && performance.now() < until);
    if (this.current || this.waiting.size) this.ask();
  }

  next() {
    for (const [name, make] of this.waiting) {
      this.waiting.delete(name);
      return make();
    }
    return null;
  }
}
