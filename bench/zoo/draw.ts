/**
 * Random servers and jobs, each drawn from a seed. All times are in seconds.
 *
 * @module
 */

import { bestMakespan, type Faults } from "./best.ts";
import {
  Bucket,
  type Course,
  Every,
  FixedWindow,
  type Limit,
  Lumps,
  SlidingCounter,
  SlidingLog,
  Unlimited,
} from "./limits.ts";
import { drawTelling, type Telling } from "./tells.ts";

/** Numbers that a seed decides (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995;
    this.unit();
    this.unit();
  }

  /** A number from 0 to 1. */
  unit(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let bits = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    bits = bits + Math.imul(bits ^ bits >>> 7, 61 | bits) ^ bits;
    return ((bits ^ bits >>> 14) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** Log-uniform. */
  log(low: number, high: number): number {
    return low * (high / low) ** this.unit();
  }

  chance(share: number): boolean {
    return this.unit() < share;
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** Lognormal around a mean of 1. */
  around(sigma: number): number {
    if (sigma === 0) return 1;
    return Math.exp(sigma * this.normal() - sigma * sigma / 2);
  }

  /** One of the keys, by their weights. */
  pick<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    const sum = entries.reduce((total, [, weight]) => total + weight, 0);
    let left = this.unit() * sum;
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries[0]![0];
  }

  /** Numbers of its own, whatever this one goes on to be asked. */
  fork(): Random {
    return new Random(Math.floor(this.unit() * 2 ** 32));
  }
}

/** The families of servers, and their weights. */
export const FAMILIES = {
  bucket: 10,
  leaky: 9,
  "window first hit": 9,
  "window clock": 8,
  "sliding log": 6,
  "sliding counter": 6,
  haproxy: 6,
  lumps: 5,
  concurrency: 6,
  "bucket + window": 5,
  "window + concurrency": 5,
  "no limit": 5,
  changes: 6,
  shared: 6,
  outage: 8,
  "refused count": 5,
  resources: 5,
};

export type Family = keyof typeof FAMILIES;

/** How a server is out of order. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly kind: "503" | "503 + Retry-After" | "refused" | "timeouts";
  readonly retryAfter: number;
}

/** Answers on their way. */
export interface Net {
  /** Mean time from a request to its answer. */
  readonly latency: number;
  /** The share of it on the way, there and back. */
  readonly way: number;
  readonly waySigma: number;
  readonly serviceSigma: number;
}

/** A server and a job on it. */
export interface Draw {
  readonly seed: number;
  readonly family: Family;
  /** The limit in words. */
  readonly words: string;
  /** The limits, fresh, one for each resource. */
  readonly limits: () => Limit[];
  /** Requests in work at the same time that the server bears. */
  readonly slots: number;
  readonly outage: Outage | undefined;
  readonly faults: Faults;
  readonly telling: Telling;
  readonly net: Net;
  readonly workers: number;
  readonly items: number;
  readonly parsed: boolean;
  readonly attemptTimeout: number | undefined;
  /** The best possible makespan. */
  readonly best: number;
}

const BASES = [
  "bucket",
  "leaky",
  "window first hit",
  "window clock",
  "sliding log",
  "sliding counter",
] as const;

const MOST_ITEMS = 8000;

/** Seconds that the best client needs at least. */
const SHORTEST = 3;

/** The share of faults that hang, where there is no limit. */
const STALLS = 0.1;

/** What a seed stands for; drawn again as long as the job would be too short. */
export function draw(
  seed: number,
  want: { family?: Family; way?: "returned" | "parsed" } = {},
): Draw {
  const random = new Random(seed);
  for (;;) {
    const drawn = drawOnce(seed, random.fork(), want);
    if (drawn.best >= SHORTEST) return drawn;
  }
}

interface Shape {
  readonly words: string;
  readonly make: () => Limit[];
  readonly slots: number;
  /** Seconds and requests of the window that matters, if one does. */
  readonly window?: { readonly seconds: number; readonly size: number };
  /** The longest that a request may be held up. */
  readonly delay?: number;
  readonly hasQuota: boolean;
  readonly isBucket: boolean;
}

function drawOnce(
  seed: number,
  random: Random,
  want: { family?: Family; way?: "returned" | "parsed" },
): Draw {
  const weighed = random.pick(FAMILIES);
  const family = want.family ?? weighed;
  const shape = drawShape(random, family);
  const net = drawNet(random);
  const outage = family === "outage" ? drawOutage(random) : undefined;
  const faults = drawFaults(random, family);
  const telling = drawTelling(random, {
    ...shape,
    showsZero: shape.slots === Infinity && family !== "bucket + window",
  });
  const workers = Math.round(random.log(1, 512));
  const isParsed = random.chance(0.4);
  const parsed = want.way === undefined ? isParsed : want.way === "parsed";
  const mayHang = faults.stalls > 0 || outage?.kind === "timeouts";
  const hasTimeout = random.chance(0.5) || mayHang;
  const held = Math.min(shape.delay ?? 0, workers);
  const least = Math.max(15 * net.latency, 1, 2 * held);
  const timeout = random.log(least, Math.max(least, 30));
  const attemptTimeout = hasTimeout ? timeout : undefined;
  const job = { shape, net, outage, faults, workers, attemptTimeout };
  const best = (items: number) =>
    bestMakespan({
      limits: shape.make(),
      slots: shape.slots,
      latency: net.latency,
      service: net.latency * (1 - net.way),
      outage,
      faults,
      workers,
      attemptTimeout,
      items,
    });
  const items = drawItems(random, job, best);
  return {
    seed,
    family,
    words: shape.words,
    limits: shape.make,
    slots: shape.slots,
    outage,
    faults,
    telling,
    net,
    workers,
    items,
    parsed,
    attemptTimeout,
    best: best(items),
  };
}

function drawItems(
  random: Random,
  { shape, outage }: { shape: Shape; outage: Outage | undefined },
  best: (items: number) => number,
): number {
  let span = random.log(5, 60);
  const { window } = shape;
  const windows = random.between(1.3, 2.6);
  if (window && span < windows * window.seconds) {
    span = windows * window.seconds;
  }
  if (outage) span = Math.max(span, outage.to + random.between(1, 10));
  let low = 1;
  let high = MOST_ITEMS;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (best(middle) < span) low = middle + 1;
    else high = middle;
  }
  const used = random.between(0.2, 0.8);
  if (!window || low <= window.size) return low;
  const full = Math.floor(low / window.size) * window.size;
  const items = full + Math.ceil(window.size * used);
  return items > MOST_ITEMS ? items - window.size : items;
}

function drawNet(random: Random): Net {
  return {
    latency: random.log(0.001, 0.5),
    way: random.between(0.1, 0.8),
    waySigma: random.chance(0.25) ? 0 : random.between(0.02, 0.5),
    serviceSigma: random.between(0.1, 0.8),
  };
}

function drawOutage(random: Random): Outage {
  const from = random.between(1.5, 12);
  return {
    from,
    to: from + random.log(2, 60),
    kind: random.pick({
      "503": 1,
      "503 + Retry-After": 1,
      refused: 1,
      timeouts: 1,
    }),
    retryAfter: Math.ceil(random.between(0, 5)),
  };
}

function drawFaults(random: Random, family: Family): Faults {
  const seed = Math.floor(random.unit() * 2 ** 32);
  const retryAfter = random.chance(0.5) ? 1 : 0;
  const some = random.log(0.003, 0.03);
  const many = random.log(0.005, 0.1);
  const faulty = random.chance(0.1);
  if (family === "no limit") {
    return { seed, share: many, stalls: STALLS, retryAfter };
  }
  return { seed, share: faulty ? some : 0, stalls: 0, retryAfter };
}

interface Size {
  readonly rate: number;
  readonly worth: number;
}

function drawSize(random: Random): Size {
  for (;;) {
    const rate = random.log(1, 2000);
    const worth = random.log(0.2, 60);
    if (rate * worth >= 0.8 && rate * worth <= 3000) return { rate, worth };
  }
}

function drawShape(random: Random, family: Family): Shape {
  const size = drawSize(random);
  const base = BASES[Math.floor(random.unit() * BASES.length)]!;
  switch (family) {
    case "outage": {
      const shape = drawBase(random, base, size);
      return { ...shape, words: `outage on ${shape.words}` };
    }
    case "resources":
      return drawResources(random, base);
    case "lumps": {
      const share = random.log(0.02, 1);
      const { rate, worth } = size;
      return {
        words: `${inWords(size)} in lumps of ${Math.round(share * 100)} %`,
        make: () => [new Lumps(rate, rate * worth, share)],
        slots: Infinity,
        hasQuota: true,
        isBucket: true,
      };
    }
    case "concurrency": {
      const slots = Math.round(random.log(2, 64));
      return {
        words: `${slots} at once`,
        make: () => [new Unlimited()],
        slots,
        hasQuota: false,
        isBucket: false,
      };
    }
    case "no limit":
      return {
        words: "no limit",
        make: () => [new Unlimited()],
        slots: Infinity,
        hasQuota: false,
        isBucket: false,
      };
    case "bucket + window":
      return drawBucketAndWindow(random, size);
    case "window + concurrency": {
      const base = random.chance(0.5) ? "window first hit" : "window clock";
      const shape = drawBase(random, base, size);
      const slots = Math.round(random.log(4, 64));
      return { ...shape, slots, words: `${shape.words}, ${slots} at once` };
    }
    case "changes":
      return drawChanging(random, size, drawChange(random));
    case "shared":
      return drawShared(random, size);
    case "refused count":
      return drawCounting(random, size);
    case "haproxy":
      return windowed(
        size,
        "of all requests, sliding counter",
        (n, seconds) => {
          return () => [new SlidingCounter(n, seconds, 0, true)];
        },
      );
    default:
      return drawBase(random, family, size);
  }
}

function drawBase(
  random: Random,
  family: (typeof BASES)[number],
  size: Size,
): Shape {
  const { rate, worth } = size;
  const phase = random.between(-worth, 0);
  const delays = random.chance(0.3);
  const burst = Math.max(1, Math.round(rate * worth));
  switch (family) {
    case "bucket":
      return {
        words: `bucket of ${inWords(size)}`,
        make: () => [new Bucket(rate, burst)],
        slots: Infinity,
        hasQuota: true,
        isBucket: true,
      };
    case "leaky":
      return {
        words: `nginx ${inWords(size)}${delays ? ", delays" : ""}`,
        make: () => [new Bucket(rate, burst + 1, { delays })],
        slots: Infinity,
        ...(delays ? { delay: worth } : {}),
        hasQuota: true,
        isBucket: true,
      };
    case "window first hit":
      return windowed(size, "from the first hit", (n, seconds) => {
        return () => [new FixedWindow(n, seconds)];
      });
    case "window clock":
      return windowed(size, "on the clock", (n, seconds) => {
        return () => [new FixedWindow(n, seconds, { phase })];
      });
    case "sliding log":
      return windowed(size, "sliding log", (n, seconds) => {
        return () => [new SlidingLog(n, seconds)];
      });
    case "sliding counter":
      return windowed(size, "sliding counter", (n, seconds) => {
        return () => [new SlidingCounter(n, seconds, phase)];
      });
  }
}

function windowed(
  { rate, worth }: Size,
  words: string,
  maker: (size: number, seconds: number) => () => Limit[],
): Shape {
  const size = Math.max(1, Math.round(rate * worth));
  return {
    words: `${size} in ${figure(worth)} s ${words}`,
    make: maker(size, worth),
    slots: Infinity,
    window: { seconds: worth, size },
    hasQuota: true,
    isBucket: false,
  };
}

function drawBucketAndWindow(random: Random, { rate }: Size): Shape {
  const burst = Math.max(1, rate * random.between(0.05, 0.5));
  const narrower = random.between(1.3, 4);
  const seconds = random.between(2, 30);
  const size = Math.max(1, Math.round(rate / narrower * seconds));
  const onClock = random.chance(0.5);
  const phase = onClock ? random.between(-seconds, 0) : undefined;
  return {
    words: `bucket ${figure(rate)}/s, burst ${figure(burst)}, and ${size} in ` +
      `${figure(seconds)} s`,
    make: () => [
      new Every([
        new Bucket(rate, burst),
        new FixedWindow(size, seconds, { phase }),
      ]),
    ],
    slots: Infinity,
    window: { seconds, size },
    hasQuota: true,
    isBucket: false,
  };
}

interface Change {
  readonly course: Course;
  readonly words: string;
}

function drawChange(random: Random): Change {
  const down = random.chance(0.5);
  const times = down ? random.log(0.15, 0.7) : random.log(1.5, 6);
  const from = random.between(3, 15);
  const back = from + random.between(4, 20);
  const returns = random.chance(0.4);
  const to = returns ? back : Infinity;
  return {
    words: `x ${figure(times)} after ${figure(from)} s` +
      (returns ? ` until ${figure(to)} s` : ""),
    course: {
      factor: (time) => time >= from && time < to ? times : 1,
      nextChange: (time) => time < from ? from : time < to ? to : Infinity,
    },
  };
}

function drawChanging(
  random: Random,
  size: Size,
  { course, words }: Change,
): Shape {
  const { rate, worth } = size;
  const phase = random.between(-worth, 0);
  const kind = random.pick({ bucket: 1, first: 1, clock: 1, log: 1 });
  const shape = kind === "bucket"
    ? {
      ...drawBase(random, "bucket", size),
      make: () => [new Bucket(rate, rate * worth, { course })],
    }
    : kind === "log"
    ? windowed(size, "sliding log", (n, seconds) => {
      return () => [new SlidingLog(n, seconds, { course })];
    })
    : windowed(
      size,
      kind === "first" ? "from the first hit" : "on the clock",
      (n, seconds) => {
        const start = kind === "first" ? undefined : phase;
        return () => [new FixedWindow(n, seconds, { phase: start, course })];
      },
    );
  return { ...shape, words: `${shape.words}, changing ${words}` };
}

function drawShared(random: Random, size: Size): Shape {
  const { rate, worth } = size;
  const most = random.between(0.2, 0.8);
  const phase = random.between(-worth, 0);
  const onWindow = random.chance(0.5);
  const every = onWindow ? worth : random.between(0.5, 8);
  const start = onWindow ? phase : 0;
  const seed = Math.floor(random.unit() * 2 ** 32);
  const index = (time: number) => Math.floor((time - start) / every + 1e-9);
  const course: Course = {
    factor: (time) => 1 - most * new Random(seed + index(time)).unit(),
    nextChange: (time) => start + (index(time) + 1) * every,
  };
  const words = `others take up to ${Math.round(most * 100)} %, new each ` +
    `${figure(every)} s`;
  if (!onWindow) {
    return {
      ...drawBase(random, "bucket", size),
      words: `bucket of ${inWords(size)}, ${words}`,
      make: () => [new Bucket(rate, rate * worth, { course })],
    };
  }
  const shape = windowed(size, "on the clock", (n, seconds) => {
    return () => [new FixedWindow(n, seconds, { phase, course })];
  });
  return { ...shape, words: `${shape.words}, ${words}` };
}

function drawCounting(random: Random, size: Size): Shape {
  const { rate, worth } = size;
  const kind = random.pick({ bucket: 1, window: 1, log: 1 });
  if (kind === "bucket") {
    return {
      ...drawBase(random, "bucket", size),
      words: `bucket of ${inWords(size)} into debt`,
      make: () => [new Bucket(rate, rate * worth, { counts: true })],
    };
  }
  return kind === "window"
    ? windowed(size, "first hit, refused ones count in the next", (n, s) => {
      return () => [new FixedWindow(n, s, { counts: true })];
    })
    : windowed(size, "sliding log of all requests", (n, s) => {
      return () => [new SlidingLog(n, s, { counts: true })];
    });
}

function drawResources(random: Random, base: (typeof BASES)[number]): Shape {
  const count = 2 + Math.floor(random.unit() * 3);
  const shapes = Array.from(
    { length: count },
    () => drawBase(random, base, drawSize(random)),
  );
  const slowest = shapes.reduce((slow, shape) => {
    const pace = ({ window }: Shape) =>
      window ? window.size / window.seconds : 0;
    return pace(shape) < pace(slow) ? shape : slow;
  });
  const { window } = slowest;
  return {
    words: shapes.map(({ words }) => words).join(" | "),
    make: () => shapes.flatMap(({ make }) => make()),
    slots: Infinity,
    ...(window
      ? { window: { seconds: window.seconds, size: window.size * count } }
      : {}),
    delay: Math.max(...shapes.map(({ delay }) => delay ?? 0)),
    hasQuota: true,
    isBucket: slowest.isBucket,
  };
}

function inWords({ rate, worth }: Size): string {
  return `${figure(rate)}/s, burst ${Math.max(1, Math.round(rate * worth))}`;
}

export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
