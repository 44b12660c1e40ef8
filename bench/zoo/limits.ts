/**
 * Rate limits of servers: each knows when a request would pass at the earliest.
 *
 * The server and the best possible client ask the same object, so that they
 * cannot differ. Times are in seconds since the run began, and never go back.
 *
 * @module
 */

/** A limit and what it has let pass. */
export interface Limit {
  /** When a request that comes at `time` would pass at the earliest. */
  free(time: number): number;
  /** Counts a request that passes. */
  take(time: number): void;
  /** Counts a request that is refused, where that counts. */
  readonly refuse?: ((time: number) => void) | undefined;
  /** How long a request that passes is held up. */
  readonly delay?: ((time: number) => number) | undefined;
  /** What may still pass at once. */
  left(time: number): number;
  /** Seconds until all may pass again. */
  reset(time: number): number;
  /** Seconds until one more may pass, of a bucket. */
  nextToken?(time: number): number;
  /** What may pass at once, or in a window. */
  readonly size: number;
  /** Requests per second of a bucket, before it changes. */
  readonly rate?: number;
  /** Seconds of the window, if there is one. */
  readonly window?: number;
}

/** By what a limit is multiplied, and when that changes. */
export interface Course {
  factor(time: number): number;
  nextChange(time: number): number;
}

export const STEADY: Course = {
  factor: () => 1,
  nextChange: () => Infinity,
};

/** Rounding errors of sums, in requests or seconds. */
const TINY = 1e-6;

export class Bucket implements Limit {
  readonly size: number;
  readonly rate: number;
  readonly #burst: number;
  readonly #course: Course;
  readonly #counts: boolean;
  readonly #delays: boolean;
  #tokens: number;
  #time = 0;

  constructor(
    rate: number,
    burst: number,
    { course = STEADY, counts = false, delays = false } = {},
  ) {
    this.rate = rate;
    this.#burst = Math.max(1, burst);
    this.#tokens = this.#burst;
    this.#course = course;
    this.#counts = counts;
    this.#delays = delays;
    this.size = Math.floor(this.#burst);
  }

  /** What is in the bucket; asking for a time to come changes nothing. */
  #level(time: number): number {
    let tokens = this.#tokens;
    for (let now = this.#time; now < time;) {
      const end = Math.min(time, this.#course.nextChange(now));
      const rate = this.rate * this.#course.factor(now);
      tokens = Math.min(this.#burst, tokens + rate * (end - now));
      now = end;
    }
    return tokens;
  }

  #advance(time: number): void {
    this.#tokens = this.#level(time);
    this.#time = Math.max(this.#time, time);
  }

  #whenFull(time: number, want: number): number {
    let missing = want - this.#level(time);
    while (missing > TINY) {
      const end = this.#course.nextChange(time);
      const rate = this.rate * this.#course.factor(time);
      if (time + missing / rate <= end) return time + missing / rate;
      missing -= rate * (end - time);
      time = end;
    }
    return time;
  }

  free(time: number): number {
    return this.#whenFull(time, 1);
  }

  take(time: number): void {
    this.#advance(time);
    this.#tokens--;
  }

  get refuse(): ((time: number) => void) | undefined {
    if (!this.#counts) return undefined;
    return (time) => {
      this.#advance(time);
      this.#tokens = Math.max(-this.#burst, this.#tokens - 1);
    };
  }

  get delay(): ((time: number) => number) | undefined {
    if (!this.#delays) return undefined;
    return (time) => (this.#burst - this.#level(time)) / this.rate;
  }

  left(time: number): number {
    return Math.max(0, Math.floor(this.#level(time) + TINY));
  }

  reset(time: number): number {
    return this.#whenFull(time, this.#burst) - time;
  }

  nextToken(time: number): number {
    const next = Math.floor(this.#level(time) + TINY) + 1;
    const want = Math.min(this.#burst, next);
    return this.#whenFull(time, want) - time;
  }
}

/** A bucket that is filled in lumps. */
export class Lumps implements Limit {
  readonly size: number;
  readonly rate: number;
  readonly #lump: number;
  readonly #every: number;
  #tokens: number;
  #lumps = 0;

  constructor(rate: number, burst: number, share: number) {
    this.size = Math.max(1, Math.round(burst));
    this.#lump = Math.max(1, Math.round(this.size * share));
    this.rate = rate;
    this.#every = this.#lump / rate;
    this.#tokens = this.size;
  }

  #advance(time: number): void {
    const lumps = Math.floor(time / this.#every + 1e-9);
    const more = (lumps - this.#lumps) * this.#lump;
    this.#tokens = Math.min(this.size, this.#tokens + more);
    this.#lumps = lumps;
  }

  free(time: number): number {
    this.#advance(time);
    if (this.#tokens >= 1) return time;
    return (this.#lumps + 1) * this.#every;
  }

  take(time: number): void {
    this.#advance(time);
    this.#tokens--;
  }

  left(time: number): number {
    this.#advance(time);
    return Math.max(0, this.#tokens);
  }

  reset(time: number): number {
    this.#advance(time);
    const missing = Math.ceil((this.size - this.#tokens) / this.#lump);
    if (missing === 0) return 0;
    return (this.#lumps + missing) * this.#every - time;
  }

  nextToken(time: number): number {
    this.#advance(time);
    if (this.#tokens === this.size) return 0;
    return (this.#lumps + 1) * this.#every - time;
  }
}

/** A fixed window, from the first hit or on the clock. */
export class FixedWindow implements Limit {
  readonly size: number;
  readonly window: number;
  readonly #phase: number | undefined;
  readonly #course: Course;
  readonly #counts: boolean;
  #end = -Infinity;
  #used = 0;
  /** What the next window owes for refused requests. */
  #debt = 0;

  /** With a `phase`, windows begin on the clock, at that time and so on. */
  constructor(
    size: number,
    window: number,
    {
      phase = undefined as number | undefined,
      course = STEADY,
      counts = false,
    } = {},
  ) {
    this.size = Math.max(1, Math.round(size));
    this.window = window;
    this.#phase = phase;
    this.#course = course;
    this.#counts = counts;
  }

  #size(time: number): number {
    return Math.max(1, Math.round(this.size * this.#course.factor(time)));
  }

  #begin(time: number): void {
    const phase = this.#phase;
    this.#end = phase === undefined
      ? time + this.window
      : phase + (Math.floor((time - phase) / this.window) + 1) * this.window;
    if (this.#end <= time) this.#end += this.window;
    this.#used = Math.min(this.#debt, this.#size(time) - 1);
    this.#debt = 0;
  }

  free(time: number): number {
    while (time < this.#end && this.#used >= this.#size(time)) {
      time = Math.min(this.#end, this.#course.nextChange(time));
    }
    return time;
  }

  take(time: number): void {
    if (time >= this.#end) this.#begin(time);
    this.#used++;
  }

  get refuse(): (() => void) | undefined {
    return this.#counts ? () => void this.#debt++ : undefined;
  }

  left(time: number): number {
    if (time >= this.#end) return this.#size(time);
    return Math.max(0, this.#size(time) - this.#used);
  }

  reset(time: number): number {
    if (time < this.#end) return this.#end - time;
    if (this.#phase === undefined) return this.window;
    const into = (time - this.#phase) % this.window;
    return into < 0 ? -into : this.window - into;
  }
}

/** A window that slides: a log of what passed, or of all that came. */
export class SlidingLog implements Limit {
  readonly size: number;
  readonly window: number;
  readonly #course: Course;
  readonly #counts: boolean;
  readonly #times: number[] = [];
  #first = 0;

  constructor(
    size: number,
    window: number,
    { course = STEADY, counts = false } = {},
  ) {
    this.size = Math.max(1, Math.round(size));
    this.window = window;
    this.#course = course;
    this.#counts = counts;
  }

  #size(time: number): number {
    return Math.max(1, Math.round(this.size * this.#course.factor(time)));
  }

  #forget(time: number): void {
    while (this.#times[this.#first]! + this.window <= time + TINY) {
      this.#first++;
    }
  }

  #used(time: number): number {
    this.#forget(time);
    return this.#times.length - this.#first;
  }

  free(time: number): number {
    this.#forget(time);
    const times = this.#times;
    for (let first = this.#first;;) {
      while (times[first]! + this.window <= time + TINY) first++;
      const over = times.length - first - this.#size(time);
      if (over < 0) return time;
      const passes = times[first + over]! + this.window;
      time = Math.min(passes, this.#course.nextChange(time));
    }
  }

  take(time: number): void {
    this.#times.push(time);
  }

  get refuse(): ((time: number) => void) | undefined {
    return this.#counts ? (time) => this.take(time) : undefined;
  }

  left(time: number): number {
    return Math.max(0, this.#size(time) - this.#used(time));
  }

  reset(time: number): number {
    if (this.#used(time) === 0) return 0;
    return this.#times[this.#first]! + this.window - time;
  }
}

/** The count of this window, and the last one's weighted by what still slides. */
export class SlidingCounter implements Limit {
  readonly size: number;
  readonly window: number;
  readonly #phase: number;
  readonly #counts: boolean;
  #index = -Infinity;
  #now = 0;
  #last = 0;

  constructor(size: number, window: number, phase: number, counts = false) {
    this.size = Math.max(1, Math.round(size));
    this.window = window;
    this.#phase = phase;
    this.#counts = counts;
  }

  #advance(time: number): void {
    const index = Math.floor((time - this.#phase) / this.window + 1e-9);
    if (index === this.#index) return;
    this.#last = index === this.#index + 1 ? this.#now : 0;
    this.#now = 0;
    this.#index = index;
  }

  #start(index: number): number {
    return this.#phase + index * this.window;
  }

  free(time: number): number {
    this.#advance(time);
    const here = whenUnder(this.#last, this.#now, this.size);
    if (here < 1) {
      return Math.max(time, this.#start(this.#index + here));
    }
    const there = whenUnder(this.#now, 0, this.size);
    return this.#start(this.#index + 1 + Math.min(1, there));
  }

  take(time: number): void {
    this.#advance(time);
    this.#now++;
  }

  get refuse(): ((time: number) => void) | undefined {
    return this.#counts ? (time) => this.take(time) : undefined;
  }

  left(time: number): number {
    this.#advance(time);
    const slid = (time - this.#start(this.#index)) / this.window;
    const used = this.#last * (1 - slid) + this.#now;
    return Math.max(0, Math.floor(this.size - used + TINY));
  }

  reset(time: number): number {
    this.#advance(time);
    return this.#start(this.#index + 1) - time;
  }
}

/** The share of a window after which one more is within the size. */
function whenUnder(last: number, now: number, size: number): number {
  if (now + 1 > size) return 1;
  if (last + now + 1 <= size) return 0;
  return 1 - (size - now - 1) / last;
}

/** Every one of several limits. */
export class Every implements Limit {
  readonly #parts: readonly Limit[];

  constructor(parts: readonly Limit[]) {
    this.#parts = parts;
  }

  get #tightest(): Limit {
    return this.#parts[this.#parts.length - 1]!;
  }

  get size(): number {
    return this.#tightest.size;
  }

  get window(): number {
    return this.#tightest.window!;
  }

  free(time: number): number {
    for (let before = -1; before !== time;) {
      before = time;
      for (const part of this.#parts) time = part.free(time);
    }
    return time;
  }

  take(time: number): void {
    for (const part of this.#parts) part.take(time);
  }

  left(time: number): number {
    return this.#tightest.left(time);
  }

  reset(time: number): number {
    return this.#tightest.reset(time);
  }
}

/** No limit at all. */
export class Unlimited implements Limit {
  readonly size = Infinity;

  free(time: number): number {
    return time;
  }

  take(): void {}

  left(): number {
    return Infinity;
  }

  reset(): number {
    return 0;
  }
}
