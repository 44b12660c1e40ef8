import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { toHeaders } from "../http/headers.ts";
import { RateLimitError } from "../http_error.ts";
import { RateLimiter, type RateLimiterOptions } from "../rate_limiter.ts";
import {
  type Attempt,
  type Failure,
  type GiveUpEvent,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "../retry.ts";
import { runUntil } from "../testing/job.ts";
import { networkError, NOON, onFakeTime } from "../testing/play.ts";
import { unhandledIn } from "../testing/unhandled.ts";
import { queueOf, type Result } from "./queue.ts";

// The four promises, for the whole limiter with retryWithBackoff() around it:
// whatever the server does, never stuck, never early, never lost, and first
// come, first served.

/** The longest pause that nobody named, in seconds, with an outage's jitter. */
const LONGEST_PAUSE = 33;
/** How long a request without an answer may hold back the others, in seconds. */
const LONGEST_SILENCE = 30;

/** What the server does with one request. */
interface Fate {
  readonly status: number | "network" | "never" | "bug";
  readonly headers: Readonly<Record<string, string>>;
  /** What it names for sure, in seconds; 0: nothing. */
  readonly named: number;
  /** Seconds. */
  readonly took: number;
  readonly times: number;
}

/** What a caller does. */
interface Caller {
  /** Seconds after the start. */
  readonly at: number;
  readonly use:
    | "return"
    | "throw"
    | "observe"
    | "observe late"
    | "run"
    | "acquire"
    | "forget"
    | "stray";
  readonly maxRetries: number;
  readonly attemptTimeout: number;
  readonly totalTimeout: number | undefined;
  /** Seconds after the start at which it is aborted. */
  readonly abortAt: number | undefined;
}

interface Scenario {
  readonly options: RateLimiterOptions;
  readonly server: readonly Fate[];
  readonly callers: readonly Caller[];
  /** Seconds by which the clock is set, after so many seconds. */
  readonly jumps: readonly { readonly at: number; readonly by: number }[];
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.option(arbitrary, { nil: undefined, freq: 4 });
const seconds = (max: number) =>
  fc.integer({ min: 0, max: max * 1000 }).map((ms) => ms / 1000);

const NUMBERS = [
  ...["0", "1", "2", "5", "-1", "1.5", "60", "3600", "1e9", "NaN", "", "x"],
  ...["99999999999999999999999", "1795435230", "1795435230000", "0/0", "2, 60"],
  "2026-11-23T12:00:30Z",
  "Mon, 23 Nov 2026 12:00:30 GMT",
];
const number = fc.constantFrom(...NUMBERS);

/** Headers that make no sense, and some that do. */
const strangeHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  fc.record({ "retry-after": number }),
  fc.record({
    "x-ratelimit-limit": number,
    "x-ratelimit-remaining": number,
    "x-ratelimit-reset": number,
  }, { requiredKeys: ["x-ratelimit-remaining"] }),
  fc.record({
    "x-ratelimit-limit": number,
    "x-ratelimit-remaining": number,
    "x-ratelimit-fillrate": number,
    "x-ratelimit-interval-seconds": number,
    date: fc.constantFrom(
      "Mon, 23 Nov 2026 12:00:00 GMT",
      "Mon, 23 Nov 2020 12:00:00 GMT",
      "Mon, 23 Nov 2099 12:00:00 GMT",
      "yesterday",
    ),
  }),
  fc.record({
    ratelimit: fc.constantFrom(
      ...['"a";r=0;t=1', '"a";r=0', '"a";r=3;t=20, "b";r=0;t=1e9', "r=0;;;"],
      ...['"a";r=-1;t=-1', '"a";r=9;t=99999999999', "limit=1, remaining=0"],
    ),
    "ratelimit-policy": fc.constantFrom('"a";q=10;w=60', '"a";q=0', "?"),
    "retry-after": number,
  }, { requiredKeys: ["ratelimit"] }),
);

const statuses = fc.oneof(
  { arbitrary: fc.constant(200), weight: 8 },
  { arbitrary: fc.constant(429), weight: 4 },
  {
    arbitrary: fc.constantFrom<Fate["status"]>(
      ...[503, 502, 504, 500, 403, 404, "network", "never", "bug"] as const,
    ),
    weight: 4,
  },
);

const took = fc.oneof(
  { arbitrary: seconds(0.2), weight: 8 },
  { arbitrary: seconds(20), weight: 1 },
);

const plainFates: fc.Arbitrary<Fate> = fc.record({
  status: statuses,
  named: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 40 }),
    fc.constant(7000),
  ),
  took,
  times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 })),
}).map(({ named, ...fate }) => {
  const refused = fate.status === 429 && named > 0;
  return {
    ...fate,
    named: refused ? named : 0,
    headers: refused ? { "retry-after": `${named}` } : {},
  };
});

const strangeFates: fc.Arbitrary<Fate> = fc.record({
  status: statuses,
  headers: strangeHeaders,
  named: fc.constant(0),
  took,
  times: fc.integer({ min: 1, max: 10 }),
});

const callers: fc.Arbitrary<Caller> = fc.record({
  at: fc.oneof(fc.constant(0), seconds(2), seconds(100)),
  use: fc.constantFrom<Caller["use"]>(
    ...["return", "return", "throw", "observe", "observe late"] as const,
    ...["run", "acquire", "forget", "stray"] as const,
  ),
  maxRetries: fc.constantFrom(3, 3, 0, 8),
  attemptTimeout: fc.constantFrom(5, 30, 60),
  totalTimeout: maybe(seconds(120).map((time) => time + 1)),
  abortAt: maybe(fc.oneof(seconds(1), seconds(150))),
});

const options: fc.Arbitrary<RateLimiterOptions> = fc.tuple(
  fc.constantFrom<RateLimiterOptions>(
    ...[{}, {}, { rate: 5, burst: 3 }, { limit: 5, window: 3 }],
  ),
  fc.record({
    maxConcurrent: fc.constantFrom(1, 2, 8),
    maxWait: fc.constantFrom(0, 2, 50),
    patience: fc.constantFrom(1, 20, 100),
    refusalStatusCodes: fc.constantFrom([429, 503], [500], []),
  }, { requiredKeys: [] }),
  fc.constantFrom(4, 60, 3600),
).map(([given, more, maxPause]) => ({ ...given, ...more, maxPause }));

/** A clock that somebody sets: `Date.now()` is off by so much. */
class SetClock {
  #seconds = 0;
  readonly #date = globalThis.Date;

  constructor() {
    globalThis.Date = new Proxy(this.#date, {
      get: (target, key) =>
        key === "now"
          ? () => target.now() + this.#seconds * 1000
          : Reflect.get(target, key),
    });
  }

  /** Seconds since the start, whatever the clock says. */
  get now(): number {
    return (this.#date.now() - NOON) / 1000;
  }

  set(by: number): void {
    this.#seconds += by;
  }

  restore(): void {
    globalThis.Date = this.#date;
  }
}

/** What one caller's call came to. */
interface Ended {
  state: "fulfilled" | "rejected";
  value: unknown;
}

/** What a call with retries told on its way. */
interface Told {
  readonly events: readonly RetryEvent[];
  readonly gaveUp: readonly GiveUpEvent[];
  /** How often the function was called. */
  readonly attempts: () => number;
  readonly signal: AbortSignal;
  readonly reason: Error;
}

class Run {
  readonly #scenario: Scenario;
  readonly #clock: SetClock;
  readonly #limiter: RateLimiter;
  readonly #fates: Fate[];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #maxPause: number;
  readonly #maxConcurrent: number;
  /** No request may go before: what refusals named. */
  #named = 0;
  #namedAt = -1;
  /** When a turn was had, an answer came, or somebody began to wait. */
  #lastEvent = 0;
  #settled = 0;
  /** Whoever waits, in order, and who had a turn last. */
  #tickets = 0;
  #served = -1;
  readonly problems: string[] = [];

  constructor(scenario: Scenario, clock: SetClock) {
    this.#scenario = scenario;
    this.#clock = clock;
    this.#limiter = new RateLimiter(scenario.options);
    this.#maxPause = scenario.options.maxPause ?? 3600;
    this.#maxConcurrent = scenario.options.maxConcurrent ?? Infinity;
    this.#fates = scenario.server.flatMap((fate) =>
      Array.from({ length: fate.times }, () => fate)
    );
    this.#listen();
  }

  /** Whoever comes gets a ticket; turns have to come in their order. */
  #listen(): void {
    const queue = queueOf(this.#limiter)!;
    const { acquire, tryAcquire, tell, observe } = queue;
    queue.acquire = (waiting) => {
      const ticket = this.#tickets++;
      if (this.#limiter.state.waiting === 0) this.#lastEvent = this.#clock.now;
      const turn = acquire.call(queue, waiting);
      turn.then(() => {
        if (ticket < this.#served) {
          this.problems.push(`${ticket} was served after ${this.#served}`);
        }
        this.#served = ticket;
        this.#hasTurn();
      }, () => {});
      return turn;
    };
    queue.tryAcquire = () => {
      const { waiting } = this.#limiter.state;
      const turn = tryAcquire.call(queue);
      if (turn && waiting > 0) this.problems.push("somebody jumped the queue");
      if (turn) this.#hasTurn(false);
      return turn;
    };
    queue.tell = (turn, result) => {
      this.#isTold(result);
      return tell.call(queue, turn, result);
    };
    queue.observe = (result) => {
      this.#isTold(result);
      return observe.call(queue, result);
    };
  }

  #isTold(result: Result | undefined): void {
    const { now } = this.#clock;
    this.#lastEvent = now;
    const named = Number(toHeaders(result?.headers)?.get("x-named") ?? 0);
    const until = now + Math.min(named, this.#maxPause);
    if (until <= this.#named) return;
    this.#named = until;
    this.#namedAt = now;
  }

  #hasTurn(waited = true): void {
    const { now } = this.#clock;
    // A turn that was given just before comes a few microtasks later.
    if (now !== this.#namedAt && now < this.#named - 1e-3) {
      this.problems.push(`at ${now} before ${this.#named}`);
    }
    if (waited) this.#checkSilence();
    this.#lastEvent = now;
  }

  #checkSilence(): void {
    const { options, server, jumps } = this.#scenario;
    const told = server.some(({ headers }) => Object.keys(headers).length > 0);
    const pause = Math.max(
      LONGEST_PAUSE,
      told ? this.#maxPause : 0,
      options.window ?? 0,
    );
    const jumped = jumps.length > 0 ? pause : 0;
    const silence = this.#clock.now - this.#lastEvent;
    if (silence > pause + LONGEST_SILENCE + jumped + 1e-3) {
      this.problems.push(`silent for ${silence} s until ${this.#clock.now}`);
    }
  }

  /** What has to hold at any time. */
  check(): void {
    const { state } = this.#limiter;
    const { rate, inFlight, resumeAt, limits, waiting, underWay } = state;
    assert(Object.isFrozen(state) && Object.isFrozen(limits));
    assert(rate > 0 && inFlight >= 1, `rate ${rate}, in flight ${inFlight}`);
    for (const at of [resumeAt, ...limits.map(({ resetAt }) => resetAt)]) {
      assert(at === undefined || Number.isFinite(at.getTime()), `${at}`);
    }
    for (const { limit, remaining } of limits) {
      assert(limit >= 0 && remaining >= 0, `${remaining} of ${limit} left`);
    }
    assert(underWay <= this.#maxConcurrent, `${underWay} under way`);
    if (waiting > 0 && underWay < this.#maxConcurrent) this.#checkSilence();
    else this.#lastEvent = this.#clock.now;
    assertEquals(this.problems, []);
  }

  start(): void {
    for (const { at, by } of this.#scenario.jumps) {
      this.#later(at, () => {
        this.#clock.set(by);
        // Nobody can tell that from time that passed.
        if (by > 0) this.#named = 0;
      });
    }
    for (const caller of this.#scenario.callers) {
      this.#later(caller.at, () => void this.#call(caller));
    }
  }

  get done(): boolean {
    return this.#settled === this.#scenario.callers.length;
  }

  /** Takes back what only the play itself has planned. */
  end(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    assertEquals(this.#limiter.state.waiting, 0);
    const forgotten = this.#scenario.callers.filter(({ use }) =>
      use === "forget"
    );
    assert(this.#limiter.state.underWay <= forgotten.length);
  }

  #later(seconds: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, Math.round(seconds * 1000));
    this.#timers.add(timer);
  }

  #wait(seconds: number): Promise<void> {
    return new Promise((resolve) => this.#later(seconds, resolve));
  }

  #nextFate(): Fate {
    return this.#fates.shift() ?? ACCEPTED;
  }

  async #call(caller: Caller): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const { abortAt, at, use } = caller;
    const reason = new Error("aborted");
    if (abortAt !== undefined) {
      this.#later(Math.max(0, abortAt - at), () => controller.abort(reason));
    }
    const events: RetryEvent[] = [];
    const gaveUp: GiveUpEvent[] = [];
    let count = 0;
    const attempts = () => count;
    const told = { events, gaveUp, attempts, signal, reason };
    const call = use === "acquire" || use === "forget"
      ? this.#acquire(use, signal)
      : use === "stray"
      ? this.#stray()
      : use === "run"
      ? this.#run(signal)
      : this.#retry(caller, {
        signal,
        onAttempt: () => count++,
        onRetry: (event) => events.push(event),
        onGiveUp: (event) => gaveUp.push(event),
      });
    const ended = await call.then(
      (value): Ended => ({ state: "fulfilled", value }),
      (value): Ended => ({ state: "rejected", value }),
    );
    this.#settled++;
    try {
      if (["acquire", "forget", "run", "stray"].includes(use)) {
        checkPlainEnd(caller, ended, reason);
      } else checkEnd(caller, this.#scenario.options, ended, told);
    } catch (error) {
      this.problems.push(`${use}: ${(error as Error).message}`);
    }
  }

  async #acquire(use: Caller["use"], signal: AbortSignal): Promise<void> {
    const release = await this.#limiter.acquire({ signal });
    if (use === "forget" && this.#maxConcurrent === Infinity) return;
    const fate = this.#nextFate();
    await this.#wait(fate.took);
    if (typeof fate.status !== "number") release();
    else release({ status: fate.status, headers: fate.headers });
    release({ status: 429 });
  }

  /** A request without a turn. */
  async #stray(): Promise<void> {
    const { took, status, headers } = this.#nextFate();
    await this.#wait(took);
    if (typeof status === "number") this.#limiter.observe({ status, headers });
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#limiter.run(async () => {
      const fate = this.#nextFate();
      await this.#wait(fate.took);
      return fate.status === "never" ? undefined : answerOf(fate);
    }, { signal });
  }

  #retry(
    { maxRetries, attemptTimeout, totalTimeout, use }: Caller,
    { onAttempt, ...hooks }:
      & Pick<RetryOptions, "signal" | "onRetry" | "onGiveUp">
      & { onAttempt: () => void },
  ): Promise<Response> {
    const fn = async ({ observe }: Attempt) => {
      const fate = this.#nextFate();
      onAttempt();
      if (fate.status === "never") await new Promise(() => {});
      await this.#wait(fate.took);
      const answer = answerOf(fate);
      if (use === "observe") observe(answer);
      // After the end of the attempt, where the function is not waited for.
      if (use === "observe late") this.#later(1, () => observe(answer));
      if (use === "throw" && !answer.ok) throw answer;
      return answer;
    };
    return retryWithBackoff(fn, {
      config: { maxRetries, baseDelay: 0.5 },
      attemptTimeout,
      totalTimeout,
      limiter: this.#limiter,
      ...hooks,
    });
  }
}

const ACCEPTED: Fate = {
  status: 200,
  headers: {},
  named: 0,
  took: 0.05,
  times: 1,
};

function answerOf({ status, headers, named }: Fate): Response {
  if (status === "network") throw networkError();
  if (typeof status === "string") throw new TypeError("a bug");
  const more = named > 0 ? { "x-named": `${named}` } : {};
  return new Response(null, { status, headers: { ...headers, ...more } });
}

/** What `acquire` and `run` may end with. */
function checkPlainEnd(
  { use }: Caller,
  { state, value }: Ended,
  reason: Error,
): void {
  if (state === "fulfilled" || value === reason) return;
  if (value instanceof RateLimitError) return;
  assert(use === "run" && value instanceof TypeError, `${value}`);
}

/** Whether a call ended as the rules say. */
function checkEnd(
  { maxRetries, totalTimeout }: Caller,
  { refusalStatusCodes = [429] }: RateLimiterOptions,
  { state, value }: Ended,
  { events, gaveUp, attempts, signal, reason }: Told,
): void {
  const isRefusal = (failure: Failure | undefined) =>
    failure?.status === 429 || refusalStatusCodes!.includes(failure?.status!);
  let left = maxRetries;
  for (const [index, { attempt, retriesLeft, failure }] of events.entries()) {
    assertEquals(attempt, index + 1);
    // A refusal for rate is free; what else failed costs one, at the most.
    const cost = left - retriesLeft;
    assert(cost === 0 || cost === 1, `${left} retries, then ${retriesLeft}`);
    if (isRefusal(failure)) assertEquals(cost, 0);
    assert(retriesLeft >= 0);
    left = retriesLeft;
  }
  if (state === "fulfilled") {
    assertEquals(gaveUp, []);
    assertEquals((value as Response).status, 200);
    assertEquals(events.length, attempts() - 1);
    return;
  }
  assertEquals(gaveUp.length, 1);
  const { reason: why, failure, error } = gaveUp[0]!;
  assertStrictEquals(error, value);
  assertEquals(gaveUp[0]!.attempts, attempts());
  if (why !== "aborted" && failure) assertStrictEquals(failure.error, error);
  switch (why) {
    case "aborted":
      assert(signal.aborted);
      assertStrictEquals(value, reason);
      return;
    case "total-timeout":
      assert(totalTimeout !== undefined);
      return;
    case "max-retries":
      assert(!isRefusal(failure));
      assertEquals(left, 0);
      return;
    case "not-retryable": {
      const { status = 0, kind } = failure!;
      assert(kind === "other" || [500, 502, 404, 403].includes(status));
      assert(!isRefusal(failure));
      return;
    }
    case "limiter":
      // It lost patience, or the wait was too long.
      assert(failure || value instanceof RateLimitError);
      return;
    default:
      throw new Error(`an end for ${why}`);
  }
}

/** Timers that a run may take: some thousand are usual. */
const MOST_TIMERS = 20_000;

/** Plays a scenario to its end. */
async function play(scenario: Scenario): Promise<void> {
  await onFakeTime(async (time) => {
    const clock = new SetClock();
    try {
      const run = new Run(scenario, clock);
      run.start();
      await runUntil(time, () => {
        run.check();
        return run.done;
      }, MOST_TIMERS);
      assert(run.done, "somebody waits for ever");
      run.end();
      assertEquals(time.next(), false, "a timer is left");
    } finally {
      clock.restore();
    }
  });
}

/** Whether all scenarios keep the promises, and nothing goes unhandled. */
function keeps(name: string, scenarios: fc.Arbitrary<Scenario>, runs: number) {
  Deno.test(name, async () => {
    const unhandled = await unhandledIn(() =>
      fc.assert(fc.asyncProperty(scenarios, play), { numRuns: runs })
    );
    assertEquals(unhandled, []);
  });
}

const plain = {
  options,
  server: fc.array(plainFates, { minLength: 1, maxLength: 8 }),
  callers: fc.array(callers, { minLength: 1, maxLength: 20 }),
  jumps: fc.constant([]),
};

keeps(
  "RateLimiter is never stuck, never early, and loses nobody",
  fc.record(plain),
  300,
);

keeps(
  "RateLimiter keeps its promises whatever headers say",
  fc.record({
    ...plain,
    server: fc.array(fc.oneof(plainFates, strangeFates), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
  300,
);

keeps(
  "RateLimiter keeps its promises on a clock that is set back and forth",
  fc.record({
    ...plain,
    jumps: fc.array(
      fc.record({
        at: seconds(60),
        by: fc.constantFrom(-4000, -30, -1, 1, 30, 4000),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  300,
);
