/**
 * Draws a server, a network and a job from a seed.
 *
 * Sizes and weights come from a survey of public APIs and of the limiters that
 * they run on; none was chosen for a client's sake.
 *
 * @module
 */

import { best } from "./best.ts";
import {
  Both,
  Bucket,
  Concurrency,
  type Flow,
  type Limit,
  Lumps,
  SlidingCounter,
  SlidingLog,
  STEADY,
  Unlimited,
  WindowFromFirstHit,
  WindowOnTheClock,
} from "./limits.ts";
import {
  hash,
  logUniform,
  pick,
  type Random,
  stream,
  uniform,
} from "./random.ts";
import { drawTells, isLimitTold, type Tells } from "./tells.ts";

const FAMILIES = {
  "bucket": 10,
  "leaky": 9,
  "window first hit": 9,
  "window clock": 8,
  "sliding log": 6,
  "sliding counter": 6,
  "haproxy": 6,
  "lumps": 5,
  "concurrency": 6,
  "burst + window": 5,
  "window + concurrency": 5,
  "no limit": 5,
  "changing": 6,
  "shared": 6,
  "outage": 8,
  "refused count": 5,
  "resources": 5,
};

export type Family = keyof typeof FAMILIES;

/** The first six, on which outages and resources stand. */
const PLAIN = {
  "bucket": 10,
  "leaky": 9,
  "window first hit": 9,
  "window clock": 8,
  "sliding log": 6,
  "sliding counter": 6,
} satisfies Partial<Record<Family, number>>;

export interface Outage {
  kind: "503" | "503 + retry-after" | "refused" | "timeouts";
  begin: number;
  end: number;
  /** What its 503s ask for, in seconds. */
  retryAfter: number;
}

/** What goes wrong elsewhere than in the limit. */
export interface Faults {
  /** Share of the requests that pass the limit. */
  share: number;
  /** Whether the 503 and 504 among them say `Retry-After: 1`. */
  retryAfter: boolean;
  /** Share of the faults that are answers which come 0 to 50 s late. */
  stalls: number;
}

export type Fault =
  | { kind: "status"; status: number }
  | { kind: "reset" }
  | { kind: "stall"; seconds: number };

export interface Network {
  /** Mean seconds of one way. */
  way: number;
  /** Of the logarithm of a way. */
  waySigma: number;
  /** Mean seconds in the server. */
  service: number;
  serviceSigma: number;
}

/** All that is drawn. */
export interface Scene {
  seed: number;
  family: Family;
  /** In words. */
  limit: string;
  /** A limit for each resource, new for each run. */
  limits: () => Limit[];
  /** Requests a second that it lets pass in the long run. */
  rate: number;
  outage: Outage | undefined;
  faults: Faults | undefined;
  tells: Tells;
  /** Status of a refusal. */
  status: number;
  /** How far the server's clock is ahead of the client's, in seconds. */
  clockAhead: number;
  /** Whether answers have a `Date`. */
  dated: boolean;
  network: Network;
  workers: number;
  items: number;
  attemptTimeout: number | undefined;
  parsesInside: boolean;
  /** The best possible makespan, in seconds. */
  best: number;
}

/** Most items of a job. */
const MOST_ITEMS = 8000;
/** Least seconds that the best client needs. */
const LEAST_BEST = 3;

export function drawFamily(seed: number): Family {
  return pick(stream(seed, 1), FAMILIES);
}

export function draw(seed: number): Scene {
  const family = drawFamily(seed);
  const random = stream(seed, 2);
  for (;;) {
    const scene = drawOnce(seed, family, random);
    if (scene) return scene;
  }
}

/** One try; `undefined` where the job would be too short. */
function drawOnce(
  seed: number,
  family: Family,
  random: Random,
): Scene | undefined {
  const network = drawNetwork(random);
  const latency = network.service + 2 * network.way;
  const { limits, limit, rate, buckets, steady, delays } = drawLimit(
    family,
    random,
    network,
  );
  const tells = drawTells(random, family, buckets);
  const status = drawStatus(random, tells, family);
  const off = pick(random, { right: 25, slightly: 50, far: 25 });
  const clockAhead = (random() < 0.5 ? -1 : 1) *
    (off === "right"
      ? 0
      : off === "slightly"
      ? uniform(random, 0, 0.5)
      : logUniform(random, 0.5, 300));
  const outage = family === "outage" ? drawOutage(random) : undefined;
  const faults = drawFaults(random, family);
  const needsTimeout = outage?.kind === "timeouts" ||
    faults !== undefined && faults.stalls > 0;
  // A server that answers late on purpose cannot be timed, so it may not hang.
  if (needsTimeout && delays) return undefined;
  const hasTimeout = needsTimeout || random() < 0.5;
  const attemptTimeout = logUniform(random, Math.max(1, 15 * latency), 30);

  const scene: Scene = {
    seed,
    family,
    limit,
    limits,
    rate,
    outage,
    faults,
    tells,
    status,
    clockAhead,
    dated: Math.abs(clockAhead) > 0.5 || random() < 0.9,
    network,
    workers: Math.floor(logUniform(random, 1, 513)),
    items: MOST_ITEMS,
    attemptTimeout: hasTimeout && !delays ? attemptTimeout : undefined,
    parsesInside: random() < 0.4,
    best: 0,
  };

  const [first] = limits();
  let target = logUniform(random, 5, 60);
  target = Math.max(target, first!.window * uniform(random, 1.3, 2.6));
  if (outage) target = Math.max(target, outage.end + uniform(random, 1, 15));
  scene.items = best(scene, target).items;
  const { perWindow } = first!;
  const lastUsed = uniform(random, 0.2, 0.8);
  if (steady && scene.items > perWindow && perWindow > 0) {
    const whole = Math.floor(scene.items / perWindow) * perWindow;
    const items = whole + Math.max(1, Math.round(lastUsed * perWindow));
    if (items <= MOST_ITEMS) scene.items = items;
  }
  if (scene.items === 0) return undefined;
  scene.best = best(scene).makespan;
  const least = Math.max(LEAST_BEST, outage ? outage.end + 0.5 : 0);
  return scene.best >= least ? scene : undefined;
}

/** What happens to the `attempt`th request of an item that passes the limit. */
export function faultOf(
  scene: Scene,
  item: number,
  attempt: number,
): Fault | undefined {
  // With four in a row, DEFAULT_RETRY loses an item to bad luck alone.
  if (!scene.faults || attempt >= 3) return undefined;
  const random = stream(scene.seed, 3, item, attempt);
  if (random() >= scene.faults.share) return undefined;
  if (random() < scene.faults.stalls) {
    return { kind: "stall", seconds: uniform(random, 0, 50) };
  }
  if (random() >= 0.75) return { kind: "reset" };
  return { kind: "status", status: random() < 0.5 ? 503 : 504 };
}

export function resourceOf(scene: Scene, item: number, of: number): number {
  return of === 1 ? 0 : hash(scene.seed, 4, item) % of;
}

function drawNetwork(random: Random): Network {
  const latency = logUniform(random, 0.001, 0.5);
  const onTheWay = uniform(random, 0.1, 0.8);
  return {
    way: latency * onTheWay / 2,
    waySigma: random() < 0.25 ? 0 : uniform(random, 0.02, 0.5),
    service: latency * (1 - onTheWay),
    serviceSigma: uniform(random, 0.1, 0.8),
  };
}

interface Size {
  /** Requests a second. */
  rate: number;
  /** Seconds that the burst or the window is worth. */
  worth: number;
  /** Requests in the burst or the window. */
  count: number;
}

function drawSize(random: Random): Size {
  for (;;) {
    const rate = logUniform(random, 1, 2000);
    const worth = logUniform(random, 0.2, 60);
    const count = rate * worth;
    if (count >= 0.8 && count <= 3000) {
      return { rate, worth, count: Math.max(1, Math.round(count)) };
    }
  }
}

interface DrawnLimit {
  limits: () => Limit[];
  limit: string;
  rate: number;
  /** Whether the limit that is told is a bucket. */
  buckets: boolean;
  /** Whether each window has as many requests as the other. */
  steady: boolean;
  /** Whether it serves later what exceeds the rate. */
  delays: boolean;
}

function drawLimit(
  family: Family,
  random: Random,
  network: Network,
): DrawnLimit {
  const plain = (
    make: () => Limit,
    limit: string,
    rate: number,
    more: Partial<DrawnLimit> = {},
  ): DrawnLimit => ({
    limits: () => [make()],
    limit,
    rate,
    buckets: false,
    steady: true,
    delays: false,
    ...more,
  });
  const size = drawSize(random);
  const { rate, worth, count } = size;
  const inWindow = `${count} in ${short(worth)} s`;
  switch (family) {
    case "bucket":
    case "leaky":
    case "window first hit":
    case "window clock":
    case "sliding log":
    case "sliding counter":
      return drawPlain(family, size, random, plain);
    case "haproxy": {
      const phase = -worth * random();
      return plain(
        () => new SlidingCounter(count, worth, phase, true),
        inWindow,
        count / worth,
      );
    }
    case "lumps": {
      const lump = Math.max(1, Math.round(count * uniform(random, 0.02, 1)));
      return plain(
        () => new Lumps(rate, count, lump),
        `burst ${count}, ${lump} each ${short(lump / rate)} s`,
        rate,
      );
    }
    case "concurrency": {
      const most = Math.floor(logUniform(random, 2, 65));
      return plain(
        () => new Concurrency(most),
        `${most} at once`,
        most / network.service,
      );
    }
    case "burst + window": {
      const burst = Math.max(
        1,
        Math.round(rate * uniform(random, 0.05, 0.5)),
      );
      const window = uniform(random, 2, 30);
      const narrower = rate / uniform(random, 1.3, 4);
      const most = Math.max(1, Math.round(narrower * window));
      const phase = -window * random();
      const onTheClock = random() < 0.5;
      const buckets = random() < 0.5;
      return plain(
        () => {
          const bucket = new Bucket(rate, burst);
          const slow = onTheClock
            ? new WindowOnTheClock(most, window, phase)
            : new WindowFromFirstHit(most, window);
          return new Both([bucket, slow], buckets ? bucket : slow);
        },
        `${short(rate)}/s burst ${burst} and ${most} in ${short(window)} s`,
        most / window,
        { buckets },
      );
    }
    case "window + concurrency": {
      const most = Math.floor(logUniform(random, 4, 65));
      const phase = -worth * random();
      const onTheClock = random() < 0.5;
      return plain(
        () => {
          const window = onTheClock
            ? new WindowOnTheClock(count, worth, phase)
            : new WindowFromFirstHit(count, worth);
          return new Both([window, new Concurrency(most)], window);
        },
        `${inWindow} and ${most} at once`,
        count / worth,
      );
    }
    case "no limit":
      return plain(() => new Unlimited(), "none", Infinity);
    case "changing": {
      const factor = random() < 0.5
        ? uniform(random, 0.15, 0.7)
        : logUniform(random, 1.5, 6);
      const begin = uniform(random, 3, 15);
      const end = random() < 0.4 ? begin + uniform(random, 4, 20) : Infinity;
      const words = `x ${short(factor)} at ${short(begin)} s${
        end < Infinity ? ` until ${short(end)} s` : ""
      }`;
      return drawFlowing(size, random, changing(factor, begin, end), words);
    }
    case "shared": {
      const most = uniform(random, 0.2, 0.8);
      const salt = Math.floor(random() * 2 ** 32);
      const period = uniform(random, 0.5, 8);
      const words = `others take up to ${Math.round(most * 100)} %`;
      return drawFlowing(
        size,
        random,
        (window, phase) => shared(most, window || period, phase, salt),
        words,
      );
    }
    case "outage":
      return drawPlain(pick(random, PLAIN), size, random, plain);
    case "refused count": {
      const kind = pick(random, { debt: 1, next: 1, log: 1 });
      if (kind === "debt") {
        return plain(
          () => new Bucket(rate, count, { debt: true }),
          `${short(rate)}/s burst ${count}, into debt`,
          rate,
          { buckets: true },
        );
      }
      if (kind === "log") {
        return plain(
          () => new SlidingLog(count, worth, true),
          `log ${inWindow}, refused ones too`,
          count / worth,
        );
      }
      const phase = -worth * random();
      return plain(
        () => new WindowOnTheClock(count, worth, phase, { refusedCount: true }),
        `${inWindow}, refused ones from the next`,
        count / worth,
      );
    }
    case "resources": {
      const kind = pick(random, PLAIN);
      const drawn = Array.from(
        { length: 2 + Math.floor(random() * 3) },
        () => drawPlain(kind, drawSize(random), random, plain),
      );
      return {
        limits: () => drawn.flatMap(({ limits }) => limits()),
        limit: drawn.map(({ limit }) => limit).join("; "),
        rate: Math.min(...drawn.map(({ rate }) => rate)) * drawn.length,
        buckets: drawn.every(({ buckets }) => buckets),
        steady: false,
        delays: drawn.some(({ delays }) => delays),
      };
    }
  }
}

function drawPlain(
  kind: keyof typeof PLAIN,
  { rate, worth, count }: Size,
  random: Random,
  plain: (
    make: () => Limit,
    limit: string,
    rate: number,
    more?: Partial<DrawnLimit>,
  ) => DrawnLimit,
): DrawnLimit {
  const phase = -worth * random();
  const words = `${kind} ${count} in ${short(worth)} s`;
  switch (kind) {
    case "bucket":
      return plain(
        () => new Bucket(rate, count),
        `bucket ${short(rate)}/s burst ${count}`,
        rate,
        { buckets: true },
      );
    case "leaky": {
      // nginx counts what is above the first.
      const burst = Math.floor(rate * worth);
      const delays = random() < 0.3;
      return plain(
        () => new Bucket(rate, burst + 1, { delays }),
        `leaky ${short(rate)}/s burst ${burst}${delays ? ", delays" : ""}`,
        rate,
        { buckets: true, delays },
      );
    }
    case "window first hit":
      return plain(
        () => new WindowFromFirstHit(count, worth),
        words,
        count / worth,
      );
    case "window clock":
      return plain(
        () => new WindowOnTheClock(count, worth, phase),
        words,
        count / worth,
      );
    case "sliding log":
      return plain(() => new SlidingLog(count, worth), words, count / worth);
    case "sliding counter":
      return plain(
        () => new SlidingCounter(count, worth, phase),
        words,
        count / worth,
      );
  }
}

/** A bucket or a window whose size flows. */
function drawFlowing(
  { rate, worth, count }: Size,
  random: Random,
  flowOf: (window: number, phase: number) => Flow,
  words: string,
): DrawnLimit {
  const phase = -worth * random();
  const buckets = random() < 0.5;
  const flow = flowOf(buckets ? 0 : worth, phase);
  return {
    limits: () => [
      buckets
        ? new Bucket(rate, count, { flow })
        : new WindowOnTheClock(count, worth, phase, { flow }),
    ],
    limit: buckets
      ? `bucket ${short(rate)}/s burst ${count}, ${words}`
      : `window ${count} in ${short(worth)} s, ${words}`,
    rate: buckets ? rate : count / worth,
    buckets,
    steady: false,
    delays: false,
  };
}

function changing(
  factor: number,
  begin: number,
  end: number,
): () => Flow {
  return () => ({
    at: (now) => now >= begin && now < end ? factor : STEADY.at(now),
    change: (now) => now < begin ? begin : now < end ? end : Infinity,
  });
}

/** Others take 0 to `most` of it, anew each `period`. */
function shared(
  most: number,
  period: number,
  phase: number,
  salt: number,
): Flow {
  const index = (now: number) => Math.floor((now - phase) / period + 1e-9);
  return {
    at: (now) => 1 - most * hash(salt, index(now)) / 2 ** 32,
    change: (now) => phase + (index(now) + 1) * period,
  };
}

function drawStatus(random: Random, tells: Tells, family: Family): number {
  const status = Number(pick(random, { 429: 72, 503: 15, 403: 13 }));
  if (status !== 403) return status;
  if (tells.kind === "nothing") return random() < 72 / 87 ? 429 : 503;
  if (!isLimitTold(tells, family)) tells.retryAfter ??= "ceil";
  return status;
}

function drawOutage(random: Random): Outage {
  const kind = pick(random, {
    "503": 1,
    "503 + retry-after": 1,
    "refused": 1,
    "timeouts": 1,
  });
  const begin = uniform(random, 1.5, 12);
  return {
    kind,
    begin,
    end: begin + logUniform(random, 2, 60),
    retryAfter: 1 + Math.floor(random() * 5),
  };
}

function drawFaults(random: Random, family: Family): Faults | undefined {
  const none = family === "no limit";
  const chosen = random() < 0.1;
  if (!none && !chosen) return undefined;
  return {
    share: none
      ? logUniform(random, 0.005, 0.1)
      : logUniform(random, 0.003, 0.03),
    retryAfter: random() < 0.5,
    stalls: none ? 0.5 : 0,
  };
}

export function short(number: number): string {
  return String(Number(number.toPrecision(3)));
}
