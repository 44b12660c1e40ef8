/**
 * Rate limits as servers have them. Each is one object with `free(now)`, so that
 * the server that refuses and the best possible time cannot differ.
 *
 * All instants are seconds since the start. `free` only looks; `now` never runs
 * backwards in `accept` and `refuse`.
 *
 * @module
 */

/** What a server would say of a limit in its headers. */
export interface Quota {
  limit: number;
  remaining: number;
  /** What it comes to in a second. */
  rate: number;
  /** Seconds until nothing is used any more. */
  full: number;
  /** Seconds until one more would pass, if none is left. */
  next: number;
}

export interface Limit {
  /** When a request would pass at the earliest, from `now` on. */
  free(now: number): number;
  /**
   * Lets a request pass that holds its place for `hold` seconds once it is
   * served; gives the instant from which it is served.
   */
  accept(now: number, hold: number): number;
  /** A request was refused. */
  refuse(now: number): void;
  quota(now: number): Quota;
  /** Seconds of its window, 0 if it has none. */
  readonly window: number;
  /** Requests that a whole fixed window has, 0 if that is not how it counts. */
  readonly perWindow: number;
}

/** A limit's size over time, as a share of the size it was drawn with. */
export interface Flow {
  at(now: number): number;
  /** When it changes next. */
  change(now: number): number;
}

export const STEADY: Flow = { at: () => 1, change: () => Infinity };

/** Instants that were computed in two ways differ by this much at the most. */
const EPSILON = 1e-9;

/** A token bucket: `rate` tokens a second, `burst` at the most. */
export class Bucket implements Limit {
  readonly window = 0;
  readonly perWindow = 0;
  readonly #rate: number;
  readonly #burst: number;
  readonly #flow: Flow;
  /** Whether what exceeds the rate is served later, as nginx does by default. */
  readonly #delays: boolean;
  /** Whether a refused request takes a token too. */
  readonly #debt: boolean;
  #tokens: number;
  #at = 0;

  constructor(
    rate: number,
    burst: number,
    { flow = STEADY, delays = false, debt = false }: {
      flow?: Flow;
      delays?: boolean;
      debt?: boolean;
    } = {},
  ) {
    this.#rate = rate;
    this.#burst = burst;
    this.#flow = flow;
    this.#delays = delays;
    this.#debt = debt;
    this.#tokens = burst;
  }

  free(now: number): number {
    let missing = 1 - this.#tokensAt(now) - EPSILON;
    let at = now;
    while (missing > 0) {
      const rate = this.#rate * this.#flow.at(at);
      const change = this.#flow.change(at);
      const due = at + missing / rate;
      if (due <= change) return due;
      missing -= (change - at) * rate;
      at = change;
    }
    return at;
  }

  accept(now: number): number {
    this.#take(now);
    const excess = this.#burst - 1 - this.#tokens;
    return this.#delays ? now + Math.max(0, excess / this.#rate) : now;
  }

  refuse(now: number): void {
    if (this.#debt) this.#take(now);
  }

  quota(now: number): Quota {
    const tokens = this.#tokensAt(now);
    const rate = this.#rate * this.#flow.at(now);
    return {
      limit: Math.floor(this.#burst),
      rate,
      remaining: Math.max(0, Math.floor(tokens + EPSILON)),
      full: Math.max(0, (this.#burst - tokens) / rate),
      next: (tokens < 1 ? 1 - tokens : 1 - tokens % 1) / rate,
    };
  }

  #take(now: number): void {
    this.#tokens = Math.max(-this.#burst, this.#tokensAt(now) - 1);
    this.#at = now;
  }

  #tokensAt(now: number): number {
    let tokens = this.#tokens;
    for (let at = this.#at; at < now && tokens < this.#burst;) {
      const until = Math.min(now, this.#flow.change(at));
      tokens += (until - at) * this.#rate * this.#flow.at(at);
      at = until;
    }
    return Math.min(this.#burst, tokens);
  }
}

/** A bucket that gets `lump` tokens at once, as often as `rate` asks for. */
export class Lumps implements Limit {
  readonly window: number;
  readonly perWindow = 0;
  readonly #lump: number;
  readonly #burst: number;
  #tokens: number;
  /** Lumps that were there at the last change. */
  #lumps = 0;

  constructor(rate: number, burst: number, lump: number) {
    this.window = lump / rate;
    this.#lump = lump;
    this.#burst = burst;
    this.#tokens = burst;
  }

  free(now: number): number {
    if (this.#tokensAt(now) >= 1) return now;
    return (this.#lumpsAt(now) + 1) * this.window;
  }

  accept(now: number): number {
    this.#tokens = this.#tokensAt(now) - 1;
    this.#lumps = this.#lumpsAt(now);
    return now;
  }

  refuse(): void {}

  quota(now: number): Quota {
    const tokens = this.#tokensAt(now);
    const next = (this.#lumpsAt(now) + 1) * this.window - now;
    const missing = Math.ceil((this.#burst - tokens) / this.#lump);
    return {
      limit: this.#burst,
      rate: this.#lump / this.window,
      remaining: tokens,
      full: missing === 0 ? 0 : next + (missing - 1) * this.window,
      next,
    };
  }

  #lumpsAt(now: number): number {
    return Math.floor(now / this.window + EPSILON);
  }

  #tokensAt(now: number): number {
    const come = (this.#lumpsAt(now) - this.#lumps) * this.#lump;
    return Math.min(this.#burst, this.#tokens + come);
  }
}

/** `limit` requests in each window that begins with the first one in it. */
export class WindowFromFirstHit implements Limit {
  readonly window: number;
  readonly perWindow: number;
  #ends = 0;
  #used = 0;

  constructor(limit: number, window: number) {
    this.window = window;
    this.perWindow = limit;
  }

  free(now: number): number {
    const open = now >= this.#ends - EPSILON || this.#used < this.perWindow;
    return open ? now : this.#ends;
  }

  accept(now: number): number {
    if (now >= this.#ends - EPSILON) {
      this.#ends = now + this.window;
      this.#used = 0;
    }
    this.#used++;
    return now;
  }

  refuse(): void {}

  quota(now: number): Quota {
    const over = now >= this.#ends - EPSILON;
    const left = over ? this.window : this.#ends - now;
    return {
      limit: this.perWindow,
      rate: this.perWindow / this.window,
      remaining: over ? this.perWindow : this.perWindow - this.#used,
      full: left,
      next: left,
    };
  }
}

/** `limit` requests in each window on the server's clock. */
export class WindowOnTheClock implements Limit {
  readonly window: number;
  readonly perWindow: number;
  /** When a window begins that is under way at the start, <= 0. */
  readonly #phase: number;
  readonly #flow: Flow;
  /** Whether refused requests are taken off the next window. */
  readonly #refusedCount: boolean;
  #index = 0;
  #used = 0;
  #refused = 0;

  constructor(
    limit: number,
    window: number,
    phase: number,
    { flow = STEADY, refusedCount = false }: {
      flow?: Flow;
      refusedCount?: boolean;
    } = {},
  ) {
    this.window = window;
    this.perWindow = limit;
    this.#phase = phase;
    this.#flow = flow;
    this.#refusedCount = refusedCount;
  }

  free(now: number): number {
    for (let at = now;;) {
      if (this.#usedAt(at) < this.#limitAt(at)) return at;
      at = Math.min(this.#endOf(this.#indexAt(at)), this.#flow.change(at));
    }
  }

  accept(now: number): number {
    this.#enter(now);
    this.#used++;
    return now;
  }

  refuse(now: number): void {
    if (!this.#refusedCount) return;
    this.#enter(now);
    this.#refused++;
  }

  quota(now: number): Quota {
    const left = this.#endOf(this.#indexAt(now)) - now;
    return {
      limit: this.perWindow,
      rate: this.perWindow / this.window,
      remaining: Math.max(0, this.#limitAt(now) - this.#usedAt(now)),
      full: left,
      next: left,
    };
  }

  #enter(now: number): void {
    this.#used = this.#usedAt(now);
    const index = this.#indexAt(now);
    if (index !== this.#index) this.#refused = 0;
    this.#index = index;
  }

  #usedAt(now: number): number {
    const index = this.#indexAt(now);
    if (index === this.#index) return this.#used;
    // One request passes in any window, or nothing ever would again.
    return index === this.#index + 1
      ? Math.min(this.#refused, this.#limitAt(now) - 1)
      : 0;
  }

  #limitAt(now: number): number {
    return Math.max(1, Math.round(this.perWindow * this.#flow.at(now)));
  }

  #indexAt(now: number): number {
    return Math.floor((now - this.#phase) / this.window + EPSILON);
  }

  #endOf(index: number): number {
    return this.#phase + (index + 1) * this.window;
  }
}

/** `limit` requests in any `window` seconds. */
export class SlidingLog implements Limit {
  readonly window: number;
  readonly perWindow = 0;
  readonly #limit: number;
  readonly #refusedCount: boolean;
  /** The last `limit` instants, as a ring. */
  readonly #log: Float64Array;
  #next = 0;

  constructor(limit: number, window: number, refusedCount = false) {
    this.window = window;
    this.#limit = limit;
    this.#refusedCount = refusedCount;
    this.#log = new Float64Array(limit).fill(-Infinity);
  }

  free(now: number): number {
    const due = this.#log[this.#next]! + this.window;
    return due <= now + EPSILON ? now : due;
  }

  accept(now: number): number {
    this.#log[this.#next] = now;
    this.#next = (this.#next + 1) % this.#limit;
    return now;
  }

  refuse(now: number): void {
    if (this.#refusedCount) this.accept(now);
  }

  quota(now: number): Quota {
    let remaining = 0;
    let oldest = Infinity;
    let newest = -Infinity;
    for (const at of this.#log) {
      if (at + this.window <= now + EPSILON) remaining++;
      else {
        if (at < oldest) oldest = at;
        if (at > newest) newest = at;
      }
    }
    const empty = remaining === this.#limit;
    return {
      limit: this.#limit,
      rate: this.#limit / this.window,
      remaining,
      full: empty ? this.window : newest + this.window - now,
      next: empty ? this.window : oldest + this.window - now,
    };
  }
}

/**
 * The last window's count weighted by what of it is still in sight, plus this
 * window's. HAProxy's counters are like that, and count refused requests too.
 */
export class SlidingCounter implements Limit {
  readonly window: number;
  readonly perWindow = 0;
  readonly #limit: number;
  readonly #refusedCount: boolean;
  readonly #phase: number;
  #index = 0;
  #current = 0;
  #last = 0;

  constructor(
    limit: number,
    window: number,
    phase: number,
    refusedCount = false,
  ) {
    this.window = window;
    this.#limit = limit;
    this.#phase = phase;
    this.#refusedCount = refusedCount;
  }

  free(now: number): number {
    for (let at = now;;) {
      const { index, current, last } = this.#countsAt(at);
      const room = this.#limit - 1 - current;
      const begin = this.#phase + index * this.window;
      if (room >= 0) {
        const share = last === 0 ? 0 : Math.max(0, 1 - room / last);
        const due = begin + share * this.window;
        if (due <= at + EPSILON) return at;
        if (due < begin + this.window - EPSILON) return due;
      }
      at = begin + this.window;
    }
  }

  accept(now: number): number {
    const { index, current, last } = this.#countsAt(now);
    this.#index = index;
    this.#current = current + 1;
    this.#last = last;
    return now;
  }

  refuse(now: number): void {
    if (this.#refusedCount) this.accept(now);
  }

  quota(now: number): Quota {
    const { index, current, last } = this.#countsAt(now);
    const left = this.#phase + (index + 1) * this.window - now;
    const seen = current + last * left / this.window;
    return {
      limit: this.#limit,
      rate: this.#limit / this.window,
      remaining: Math.max(0, Math.floor(this.#limit - seen + EPSILON)),
      full: left,
      next: this.free(now) > now ? this.free(now) - now : left,
    };
  }

  #countsAt(now: number): { index: number; current: number; last: number } {
    const index = Math.floor((now - this.#phase) / this.window + EPSILON);
    if (index === this.#index) {
      return { index, current: this.#current, last: this.#last };
    }
    const last = index === this.#index + 1 ? this.#current : 0;
    return { index, current: 0, last };
  }
}

/** `limit` requests at once. */
export class Concurrency implements Limit {
  readonly window = 0;
  readonly perWindow = 0;
  readonly #limit: number;
  /** When each of those under way ends. */
  #ends: number[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  free(now: number): number {
    const ends = this.#endsAfter(now);
    return ends.length < this.#limit ? now : Math.min(...ends);
  }

  accept(now: number, hold: number): number {
    this.#ends = this.#endsAfter(now);
    this.#ends.push(now + hold);
    return now;
  }

  refuse(): void {}

  quota(now: number): Quota {
    const ends = this.#endsAfter(now);
    return {
      limit: this.#limit,
      rate: Infinity,
      remaining: this.#limit - ends.length,
      full: ends.length ? Math.max(...ends) - now : 0,
      next: ends.length ? Math.min(...ends) - now : 0,
    };
  }

  #endsAfter(now: number): number[] {
    return this.#ends.filter((end) => end > now + EPSILON);
  }
}

/** Several limits at once, one of which the headers speak of. */
export class Both implements Limit {
  readonly window: number;
  readonly perWindow: number;
  readonly #limits: Limit[];
  readonly #told: Limit;

  constructor(limits: Limit[], told: Limit) {
    this.#limits = limits;
    this.#told = told;
    this.window = Math.max(...limits.map((limit) => limit.window));
    this.perWindow = Math.max(...limits.map((limit) => limit.perWindow));
  }

  free(now: number): number {
    for (let at = now;;) {
      const due = Math.max(...this.#limits.map((limit) => limit.free(at)));
      if (due <= at) return at;
      at = due;
    }
  }

  accept(now: number, hold: number): number {
    return Math.max(...this.#limits.map((limit) => limit.accept(now, hold)));
  }

  refuse(now: number): void {
    for (const limit of this.#limits) limit.refuse(now);
  }

  quota(now: number): Quota {
    return this.#told.quota(now);
  }
}

/** No limit at all. */
export class Unlimited implements Limit {
  readonly window = 0;
  readonly perWindow = 0;

  free(now: number): number {
    return now;
  }

  accept(now: number): number {
    return now;
  }

  refuse(): void {}

  quota(): Quota {
    return { limit: 0, rate: Infinity, remaining: 0, full: 0, next: 0 };
  }
}

/** A limit of a server that lets nothing pass from `begin` to `end`. */
export class WithOutage implements Limit {
  readonly window: number;
  readonly perWindow: number;
  readonly #limit: Limit;
  readonly #begin: number;
  readonly #end: number;

  constructor(limit: Limit, begin: number, end: number) {
    this.#limit = limit;
    this.#begin = begin;
    this.#end = end;
    this.window = limit.window;
    this.perWindow = limit.perWindow;
  }

  isDown(now: number): boolean {
    return now >= this.#begin && now < this.#end;
  }

  free(now: number): number {
    const free = this.#limit.free(now);
    return this.isDown(free) ? this.#limit.free(this.#end) : free;
  }

  accept(now: number, hold: number): number {
    return this.#limit.accept(now, hold);
  }

  refuse(now: number): void {
    this.#limit.refuse(now);
  }

  quota(now: number): Quota {
    return this.#limit.quota(now);
  }
}
