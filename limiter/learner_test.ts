import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { LimitReading } from "../http/dialects.ts";
import { advance, learn, passBy, send, waitTime } from "./learner.ts";
import {
  givenServer,
  type Model,
  type Outcome,
  type Permit,
  unknownServer,
} from "./model.ts";

/** Monday, 23 November 2026, noon, in seconds. */
const NOON = Date.UTC(2026, 10, 23, 12) / 1000;

/** The longest pause that nobody named, in seconds, with an outage's jitter. */
const LONGEST_PAUSE = 33;

/** What a request comes to, and after how many seconds. */
interface Fate {
  readonly outcome: Outcome;
  readonly took: number;
  /** Requests in a row that this happens to. */
  readonly times: number;
  /** Whether it took no turn. */
  readonly turnless: boolean;
  /** Seconds by which the clock is set when it goes, and when it is answered. */
  readonly jumps: readonly [number, number];
  /** Seconds in which nobody wants anything before it. */
  readonly idle: number;
}

/** Mostly the first, now and then any of the others. */
function rarely<T>(usual: T, ...others: fc.Arbitrary<T>[]): fc.Arbitrary<T> {
  return fc.oneof(
    { arbitrary: fc.constant(usual), weight: 12 },
    ...others.map((arbitrary) => ({ arbitrary, weight: 1 })),
  );
}

const seconds = (max: number) => fc.double({ min: 0, max, noNaN: true });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.option(arbitrary, { nil: undefined });

/** What headers may say, however little it fits the rest. */
const readings: fc.Arbitrary<LimitReading> = fc.record({
  id: fc.constantFrom("a", "b", "c"),
  limit: maybe(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.nat(1e9))),
  remaining: maybe(
    fc.oneof(fc.constant(0), fc.nat(3), fc.nat(100), fc.nat(1e9)),
  ),
  reset: maybe(fc.oneof(fc.nat(3), seconds(90), seconds(1e5))),
  precision: fc.constantFrom(0, 1, 60),
  instant: fc.boolean(),
  window: maybe(fc.constantFrom(1, 60, 3600)),
  rate: maybe(
    fc.oneof(fc.constantFrom(1e-6, 0.2, 1, 50), seconds(1000)).filter((rate) =>
      rate > 0
    ),
  ),
  counted: fc.boolean(),
}).map((reading) => ({
  ...reading,
  limit: reading.limit === 0 ? 1 : reading.limit,
}));

const outcomes: fc.Arbitrary<Outcome> = fc.record({
  kind: fc.constantFrom<Outcome["kind"]>(
    ...["accepted", "accepted", "refused", "failed", "lost"] as const,
  ),
  asked: rarely(0, fc.nat(3), seconds(0.2), seconds(90), seconds(4000)),
  limits: rarely<LimitReading[]>([], fc.array(readings, { maxLength: 3 })),
});

const fates: fc.Arbitrary<Fate> = fc.record({
  outcome: outcomes,
  took: fc.oneof(
    { arbitrary: seconds(0.3), weight: 6 },
    { arbitrary: fc.constant(0), weight: 1 },
    { arbitrary: seconds(200), weight: 1 },
  ),
  times: fc.oneof(fc.constant(1), fc.nat(3), fc.nat(40)),
  turnless: fc.nat(4).map((number) => number === 0),
  jumps: fc.constant<[number, number]>([0, 0]),
  idle: rarely(0, seconds(2), seconds(4000)),
});

/** Freezes a model, so that whoever changes it is found out. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const name in value) freeze(value[name]);
  return value;
}

/** What may be endless: no rate, no size or no limit is known. */
const ENDLESS = ["rate", "burst", "tokens", "window", "limit", "level"];

/** All numbers are numbers, however deep. */
function checkNumbers(value: object): void {
  for (const name in value) {
    const field: unknown = value[name as keyof typeof value];
    if (typeof field === "object" && field !== null) checkNumbers(field);
    if (typeof field !== "number" || Number.isFinite(field)) continue;
    const possible = field === Infinity && ENDLESS.includes(name);
    if (!possible) throw new Error(`${name} is ${field}`);
  }
}

function checkModel(model: Model): void {
  checkNumbers(model);
  const { bucket, concurrency, slowStart, roundTrip, quotas } = model;
  assert(bucket.rate > 0, `rate ${bucket.rate}`);
  assert(bucket.burst >= 1, `burst ${bucket.burst}`);
  assert(concurrency.limit >= 1, `concurrency ${concurrency.limit}`);
  assert(slowStart.window >= 1, `window ${slowStart.window}`);
  assert(roundTrip >= 0, `round trip ${roundTrip}`);
  assert(quotas.length <= 16, `${quotas.length} quotas`);
}

/** A request that was let go, and is not answered yet. */
interface Sent {
  readonly permit: Permit;
  readonly fate: Fate;
  readonly due: number;
}

/**
 * Plays somebody who always wants to send, on a model: sends whatever may go,
 * tells what comes, and checks the promises at every step.
 */
class Play {
  model: Model;
  /** Seconds since the start; the clock may say something else. */
  #at = 0;
  #ahead = 0;
  #under: Sent[] = [];
  /** When all that was named is over, and what only a refusal named. */
  #named = 0;
  #refusedUntil = 0;
  /** When something went or came last, or when nobody wanted anything. */
  #lastEvent = 0;
  /** When requests that took a turn went. */
  readonly sent: number[] = [];

  constructor(model: Model) {
    this.model = freeze(model);
  }

  get #clock(): number {
    return NOON + this.#at + this.#ahead;
  }

  run(script: readonly Fate[], most = 300): void {
    const queue = script.flatMap((fate) =>
      Array.from(
        { length: Math.max(1, fate.times) },
        (_, index) => index === 0 ? fate : { ...fate, idle: 0, jump: 0 },
      )
    );
    for (let left = most; left > 0; left--) {
      const next = queue[0];
      if (!next) break;
      this.#pass(0);
      if (next.idle > 0) {
        this.#pass(next.idle);
        this.#lastEvent = this.#at;
        queue[0] = { ...next, idle: 0 };
      } else if (next.jumps[0] !== 0) {
        this.#jump(next.jumps[0]);
        queue[0] = { ...next, jumps: [0, next.jumps[1]] };
      } else if (next.turnless) {
        queue.shift();
        this.#send(passBy(this.model, this.#clock), next);
      } else if (this.#mayGo()) {
        queue.shift();
        this.#send(send(this.model, this.#clock), next);
      }
    }
    this.#pass(1e6);
    assertEquals(this.model.inFlight, 0);
  }

  /** Waits until a request may go, or until an answer comes. */
  #mayGo(): boolean {
    this.model = freeze(advance(this.model, this.#clock));
    checkModel(this.model);
    const wait = waitTime(this.model);
    assert(wait >= 0, `a wait of ${wait}`);
    const answer = this.#nextAnswer();
    if (wait === Infinity) {
      assert(answer < Infinity, "waits for an answer while none is to come");
      this.#pass(answer - this.#at);
      return false;
    }
    const least = Math.max(LONGEST_PAUSE, this.#named - this.#at);
    assert(
      wait <= least + 1e-3,
      `waits for ${wait} s, where ${least} s are due`,
    );
    if (wait === 0) {
      const silence = this.#at -
        Math.max(this.#named, this.#lastEvent + LONGEST_PAUSE);
      assert(silence <= 1e-3, `silent for ${silence} s too long`);
      assert(
        this.#at >= this.#refusedUntil - 1e-3,
        `sent ${this.#refusedUntil - this.#at} s before the time named`,
      );
      return true;
    }
    this.#pass(Math.min(wait, answer - this.#at));
    return false;
  }

  #nextAnswer(): number {
    return Math.min(...this.#under.map(({ due }) => due));
  }

  /** Moves on, and tells what is answered meanwhile. */
  #pass(seconds: number): void {
    const until = this.#at + seconds;
    for (;;) {
      const due = this.#nextAnswer();
      if (due > until) break;
      this.#at = Math.max(this.#at, due);
      this.#answer(this.#under.findIndex((sent) => sent.due === due));
    }
    this.#at = until;
  }

  #send([model, permit]: [Model, Permit], fate: Fate): void {
    this.model = freeze(model);
    checkModel(model);
    assertEquals(model.inFlight, this.#under.length + 1);
    this.#lastEvent = this.#at;
    if (!fate.turnless) this.sent.push(this.#at);
    this.#under.push({ permit, fate, due: this.#at + fate.took });
  }

  #answer(index: number): void {
    const [sent] = this.#under.splice(index, 1);
    const { permit, fate } = sent!;
    const { outcome, jumps } = fate;
    this.#jump(jumps[1]);
    const [model, verdict] = learn(this.model, this.#clock, permit, outcome);
    this.model = freeze(model);
    checkModel(model);
    this.#lastEvent = this.#at;
    if (outcome.kind === "accepted" || outcome.kind === "refused") {
      assertEquals(verdict, outcome.kind);
    }
    if (outcome.kind === "refused") {
      this.#refusedUntil = Math.max(
        this.#refusedUntil,
        this.#at + outcome.asked,
      );
    }
    if (outcome.kind === "lost") return;
    const { limits } = outcome;
    const told = Math.max(
      outcome.asked,
      ...limits.map(({ reset }) => reset ?? 0),
    );
    this.#named = Math.max(this.#named, this.#at + told);
  }

  #jump(seconds: number): void {
    this.model = freeze(advance(this.model, this.#clock));
    this.#ahead += seconds;
    if (seconds <= 0) return;
    // Nobody can tell a clock that was set forward from time that passed.
    this.#refusedUntil = 0;
  }
}

function plays(
  name: string,
  script: fc.Arbitrary<Fate[]>,
  model: () => Model,
  runs = 3000,
): void {
  Deno.test(name, () => {
    fc.assert(
      fc.property(script, (fates) => new Play(model()).run(fates)),
      { numRuns: runs },
    );
  });
}

plays(
  "learn() is never stuck, never early and never out of its mind, whatever comes",
  fc.array(fates, { minLength: 1, maxLength: 12 }),
  () => unknownServer(NOON),
);

plays(
  "learn() keeps its promises where only refusals, failures and silence come",
  fc.array(
    fates.filter(({ outcome }) => outcome.kind !== "accepted"),
    { minLength: 1, maxLength: 6 },
  ),
  () => unknownServer(NOON),
  1000,
);

const jumps = fc.oneof(
  fc.constant(0),
  fc.constant(0),
  fc.double({ min: -4000, max: 4000, noNaN: true }),
);

plays(
  "learn() keeps its promises on a clock that is set back and forth",
  fc.array(
    fc.tuple(fates, jumps, jumps).map(([fate, ...jumps]) => ({
      ...fate,
      jumps,
    })),
    { minLength: 1, maxLength: 12 },
  ),
  () => unknownServer(NOON),
);

plays(
  "learn() keeps its promises beside a rate that is given",
  fc.array(fates, { minLength: 1, maxLength: 8 }),
  () => givenServer(NOON, 10, 5),
  1000,
);
