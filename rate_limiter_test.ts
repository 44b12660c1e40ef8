import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { RateLimitError } from "./http_error.ts";
import {
  RateLimiter,
  type RateLimiterOptions,
  type Release,
} from "./rate_limiter.ts";
import type { RetryBudget } from "./retry_budget.ts";
import { retryWithBackoff } from "./retry.ts";
import {
  countListeners,
  EXACT,
  finish,
  NOON,
  onFakeTime,
  pass,
  refuse,
  watch,
  withClockOff,
} from "./testing/play.ts";

import { bucket, fixedWindow, randomNumbers } from "./testing/simulate.ts";

const seconds = () => (Date.now() - NOON) / 1000;

/** Takes `count` turns, and notes when each came. */
function line(limiter: RateLimiter, count: number, signal?: AbortSignal) {
  const turns: { id: number; at: number; release: Release }[] = [];
  for (let id = 0; id < count; id++) {
    limiter.acquire({ signal }).then((release) => {
      turns.push({ id, at: seconds(), release });
    }, () => {});
  }
  return turns;
}

/** A limiter that everybody has to wait in for `wait` seconds. */
function paused(wait = 5): RateLimiter {
  const limiter = new RateLimiter();
  limiter.observe({ status: 429, headers: { "retry-after": `${wait}` } });
  return limiter;
}

Deno.test("RateLimiter lets the first request go at once, and alone until it is answered", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const turns = line(limiter, 3);
    await time.runMicrotasks();
    assertEquals(turns.length, 1);
    turns[0]!.release({ status: 200 });
    await pass(time, 0.01);
    assertEquals(turns.length, 3);
  }));

Deno.test("RateLimiter is not blocked by a request whose answer never comes", () =>
  onFakeTime(async (time) => {
    const turns = line(new RateLimiter(), 3);
    await pass(time, 0.999);
    assertEquals(turns.length, 1);
    await pass(time, 0.1);
    assertEquals(turns.length, 3);
  }));

Deno.test("RateLimiter keeps to a rate and a burst that it is told", () =>
  onFakeTime(async (time) => {
    const turns = line(new RateLimiter({ rate: 10, burst: 3 }), 6);
    await finish(time);
    assertEquals(turns.map(({ at }) => at), [0, 0, 0, 0.1, 0.2, 0.3]);
    assertEquals(turns.map(({ id }) => id), [0, 1, 2, 3, 4, 5]);
  }));

Deno.test("RateLimiter spaces requests evenly where no burst is told", () =>
  onFakeTime(async (time) => {
    const turns = line(new RateLimiter({ rate: 2 }), 4);
    await finish(time);
    assertEquals(turns.map(({ at }) => at), [0, 0.5, 1, 1.5]);
  }));

Deno.test("RateLimiter fills its burst up again, and no further", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 10, burst: 2 });
    line(limiter, 2);
    await pass(time, 60);
    const turns = line(limiter, 4);
    await finish(time);
    assertEquals(turns.map(({ at }) => at), [60, 60, 60.1, 60.2]);
  }));

Deno.test("RateLimiter keeps to a rate that it is told after a refusal and beside headers", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 10, burst: 5 });
    limiter.observe({ status: 429, headers: { "retry-after": "2" } });
    const turns = line(limiter, 3);
    await pass(time, 2);
    assertEquals(turns.map(({ at }) => at), [2]);
    turns[0]!.release({ status: 200, headers: { ratelimit: '"a";r=9;t=1' } });
    await finish(time);
    assertEquals(turns.map(({ at }) => at), [2, 2.1, 2.2]);
    for (const { release } of turns) {
      release({ status: 200, headers: { ratelimit: '"a";r=0;t=1' } });
    }
    const more = line(limiter, 2);
    await finish(time);
    // `t` is rounded up: the first word, at 2 s, was the most exact.
    assert(more.length === 2 && more[0]!.at >= 3, `${more[0]?.at}`);
  }));

Deno.test("RateLimiter lets no more go at once than maxConcurrent, and a second release does nothing", () =>
  onFakeTime(async (time) => {
    const turns = line(
      new RateLimiter({ rate: 1000, burst: 100, maxConcurrent: 2 }),
      5,
    );
    await finish(time);
    assertEquals(turns.length, 2);
    turns[0]!.release();
    turns[0]!.release();
    await finish(time);
    assertEquals(turns.map(({ id }) => id), [0, 1, 2]);
    turns[2]!.release();
    turns[1]!.release();
    await finish(time);
    assertEquals(turns.map(({ id }) => id), [0, 1, 2, 3, 4]);
  }));

Deno.test("RateLimiter pauses everybody after a 429, until the time that the server named", () =>
  onFakeTime(async (time) => {
    const turns = line(paused(5), 3);
    await pass(time, 4.999);
    assertEquals(turns.length, 0);
    await pass(time, 0.001);
    assertEquals(turns.map(({ id }) => id), [0]);
  }));

Deno.test("RateLimiter takes GitHub's 403 for a 429, and reads dates and resets", () =>
  onFakeTime(async (time) => {
    const refusals = [
      { status: 403, headers: { "Retry-After": "5" } },
      {
        status: 429,
        headers: new Headers({
          "retry-after": "Mon, 23 Nov 2026 12:00:05 GMT",
        }),
      },
      {
        status: 403,
        headers: {
          "x-ratelimit-remaining": "0",
          "x-ratelimit-reset": `${NOON / 1000 + 5}`,
        },
      },
      new Response(null, {
        status: 429,
        headers: { "retry-after-ms": "5000" },
      }),
    ];
    const lines = refusals.map((refusal) => {
      const limiter = new RateLimiter();
      limiter.observe(refusal);
      return line(limiter, 1);
    });
    await pass(time, 4.999);
    assertEquals(lines.map(({ length }) => length), [0, 0, 0, 0]);
    await pass(time, 0.001);
    assertEquals(lines.map(({ length }) => length), [1, 1, 1, 1]);
  }));

Deno.test("RateLimiter pauses no longer than maxPause, then one request asks again", () =>
  onFakeTime(async (time) => {
    for (
      const [options, most] of [[{}, 3600], [{ maxPause: 40 }, 40]] as const
    ) {
      const start = seconds();
      const limiter = new RateLimiter(options);
      limiter.observe({ status: 429, headers: { "retry-after": "86400" } });
      const turns = line(limiter, 2);
      await pass(time, most - 0.001);
      assertEquals(turns.length, 0);
      await pass(time, 0.001);
      assertEquals(turns.map(({ at }) => at), [start + most]);
    }
  }));

Deno.test("RateLimiter lets no herd go when a pause ends", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const before = line(limiter, 1);
    await time.runMicrotasks();
    before[0]!.release({ status: 200 });
    // 30 accepted in 3 s, then a refusal.
    for (let request = 0; request < 30; request++) {
      const turns = line(limiter, 1);
      await pass(time, 0.1);
      turns[0]!.release({ status: 200 });
    }
    const last = line(limiter, 1);
    await time.runMicrotasks();
    last[0]!.release({ status: 429, headers: { "retry-after": "1" } });
    const turns = line(limiter, 100);
    await pass(time, 0.999);
    assertEquals(turns.length, 0);
    await pass(time, 0.001);
    assertEquals(turns.length, 1);
    turns[0]!.release({ status: 200 });
    await pass(time, 1);
    assert(
      turns.length > 3 && turns.length < 20,
      `${turns.length} in a second`,
    );
  }));

Deno.test("RateLimiter spends what remains, then waits for the reset", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe({
      status: 200,
      headers: {
        "X-RateLimit-Limit": "10",
        "X-RateLimit-Remaining": "2",
        "X-RateLimit-Reset": "30",
      },
    });
    const turns = line(limiter, 4);
    await pass(time, 29.9);
    assertEquals(turns.map(({ at }) => at), [0, 0]);
    await pass(time, 0.2);
    assertEquals(turns.length, 3);
    assert(turns[2]!.at >= 30);
  }));

for (
  const headers of [
    {
      RateLimit: '"default";r=2;t=30',
      "RateLimit-Policy": '"default";q=10;w=60',
    },
    { RateLimit: '"a";r=9;t=10, "b";r=2;t=30' },
    { RateLimit: '"a";r=2;t=10, "b";r=2;t=30' },
    { RateLimit: "limit=10, remaining=2, reset=30" },
    {
      "X-RateLimit-Limit": "10",
      "X-RateLimit-Remaining": "2",
      "X-RateLimit-Reset": "30",
    },
    {
      "x-ratelimit-remaining": "2",
      "x-ratelimit-reset": `${NOON / 1000 + 30}`,
    },
    {
      "x-ratelimit-remaining": "2",
      "x-ratelimit-reset": "2026-11-23T12:00:30Z",
    },
  ]
) {
  Deno.test(`RateLimiter spends what ${JSON.stringify(headers)} says`, () =>
    onFakeTime(async (time) => {
      const limiter = new RateLimiter();
      limiter.observe({ status: 200, headers });
      const turns = line(limiter, 4);
      await pass(time, 29.9);
      assertEquals(turns.map(({ at }) => at), [0, 0]);
      await pass(time, 1.1);
      assert(turns.length > 2);
    }));
}

Deno.test("RateLimiter keeps to Jira's fill rate", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const headers = (remaining: number) => ({
      "X-RateLimit-Limit": "20",
      "X-RateLimit-Remaining": String(remaining),
      "X-RateLimit-FillRate": "50",
      "X-RateLimit-Interval-Seconds": "10",
    });
    limiter.observe({ status: 200, headers: headers(5) });
    const turns = line(limiter, 20);
    await pass(time, 2);
    // What remains, and five a second, less a small reserve.
    assert(turns.length >= 11 && turns.length <= 15, `${turns.length}`);
  }));

Deno.test("RateLimiter does not hold anybody back for single failures and lost requests", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 1000, burst: 1000 });
    for (let request = 0; request < 15; request++) {
      limiter.observe({ status: 503 });
      for (let more = 0; more < 3; more++) limiter.observe({ status: 200 });
      const turns = line(limiter, 2);
      await time.runMicrotasks();
      assertEquals(turns.length, 2, `request ${request}`);
      for (const { release } of turns) release();
    }
  }));

Deno.test("RateLimiter serves first come, first served, also after some have left", () =>
  onFakeTime(async (time) => {
    const limiter = paused();
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    const order: number[] = [];
    for (const [id, { signal }] of controllers.entries()) {
      limiter.acquire({ signal }).then((release) => {
        order.push(id);
        release({ status: 200 });
      }, () => {});
    }
    for (const id of [0, 3, 5]) controllers[id]!.abort();
    await finish(time);
    assertEquals(order, [1, 2, 4]);
  }));

Deno.test("RateLimiter lets an aborted waiter go at once, with its reason", () =>
  onFakeTime(async (time) => {
    const limiter = paused();
    for (const reason of [new Error("stop"), "stop", null, 0]) {
      const controller = new AbortController();
      const outcome = watch(limiter.acquire({ signal: controller.signal }));
      await time.runMicrotasks();
      controller.abort(reason);
      await time.runMicrotasks();
      assertEquals(outcome.state, "rejected");
      assertStrictEquals(outcome.value, reason);
      const late = watch(
        limiter.acquire({ signal: AbortSignal.abort(reason) }),
      );
      await time.runMicrotasks();
      assertStrictEquals(late.value, reason);
    }
    assertEquals(time.next(), false);
  }));

Deno.test("RateLimiter keeps no timer when nobody waits", () =>
  onFakeTime(async (time) => {
    const limiter = paused();
    assertEquals(time.next(), false);
    const controller = new AbortController();
    line(limiter, 3, controller.signal);
    await time.runMicrotasks();
    controller.abort();
    assertEquals(time.next(), false);
    const turns = line(limiter, 1);
    await finish(time);
    assertEquals(turns.length, 1);
    assertEquals(time.next(), false);
  }));

/** Counts the timers that are set. */
function countTimers(): { set: number } {
  const count = { set: 0 };
  const original = globalThis.setTimeout;
  globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
    count.set++;
    return original(...args);
  }) as typeof setTimeout;
  return count;
}

Deno.test("RateLimiter has one timer and one listener for 100,000 waiters", () =>
  onFakeTime(async (time: FakeTime) => {
    const limiter = paused();
    const controller = new AbortController();
    const listeners = countListeners(controller.signal);
    const timers = countTimers();
    const turns = line(limiter, 100_000, controller.signal);
    assertEquals([timers.set, listeners.added], [1, 1]);
    await pass(time, 5);
    assertEquals(turns.length, 1);
    controller.abort();
    await time.runMicrotasks();
    assertEquals(listeners, { added: 1, removed: 1 });
    assertEquals(time.next(), false);
  }));

Deno.test("RateLimiter lets as many go at first as may go at once, if it is told", () =>
  onFakeTime(async (time) => {
    const told = line(new RateLimiter({ maxConcurrent: 4 }), 5);
    const untold = line(new RateLimiter(), 5);
    await time.runMicrotasks();
    assertEquals([told.length, untold.length], [4, 1]);
    await finish(time);
  }));

Deno.test("RateLimiter takes its listener back from a signal once it has served", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 1 });
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const turns = line(limiter, 3, signal);
    await finish(time);
    assertEquals(turns.length, 3);
    assert(listeners.added > 0);
    assertEquals(listeners.added, listeners.removed);
  }));

Deno.test("RateLimiter never guesses whose answer it is that it observes", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const release = await limiter.acquire();
    limiter.observe({
      status: 200,
      headers: {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "3",
        "x-ratelimit-reset": "60",
      },
    });
    // The turn is under way still, and takes one of the three that are left.
    assertEquals([limiter.state.accepted, limiter.state.underWay], [1, 1]);
    const turns = line(limiter, 3);
    await pass(time, 0);
    assertEquals(turns.length, 2);
    release({ status: 200 });
    assertEquals(limiter.state.accepted, 2);
    await finish(time);
    assertEquals(turns.length, 3);
  }));

Deno.test("RateLimiter does not overdraw what was told to be left, though later answers tell nothing", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe({
      status: 200,
      headers: {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "3",
        "x-ratelimit-reset": "30",
      },
    });
    const starts: number[] = [];
    for (let id = 0; id < 5; id++) {
      watch(limiter.run(async () => {
        starts.push(seconds());
        await wait(50);
        return "parsed";
      }));
    }
    await finish(time);
    assertEquals(starts.slice(0, 3), [0, 0, 0]);
    assert(starts.slice(3).every((at) => at >= 30), `${starts}`);
  }));

Deno.test("RateLimiter serves 100,000 waiters one after the other", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({
      rate: 1e6,
      burst: 1e6,
      maxConcurrent: 1,
    });
    let served = 0;
    for (let id = 0; id < 100_000; id++) {
      limiter.acquire().then((release) => {
        served++;
        release();
      });
    }
    await time.runMicrotasks();
    assertEquals(served, 100_000);
  }));

Deno.test("RateLimiter is not frozen by a clock that jumps back an hour", () =>
  onFakeTime(async (time) => {
    const limiter = paused(5);
    const turns = line(limiter, 1);
    await pass(time, 2);
    withClockOff(-3600, () => time.tick(8000));
    await time.runMicrotasks();
    assertEquals(turns.length, 1);
  }));

Deno.test("RateLimiter refuses bad options", () => {
  const bad: [
    RateLimiterOptions,
    typeof RangeError | typeof TypeError,
    string,
  ][] = [
    [
      { rate: 0 },
      RangeError,
      "'rate' must be a finite number of requests per second > 0",
    ],
    [{ rate: Infinity }, RangeError, "'rate'"],
    [{ rate: 1, burst: 0 }, RangeError, "'burst' must be an integer >= 1"],
    [{ rate: 1, burst: 1.5 }, RangeError, "'burst'"],
    [{ burst: 5 }, TypeError, "'burst' must be given together with 'rate'"],
    [
      { maxConcurrent: 0 },
      RangeError,
      "'maxConcurrent' must be an integer >= 1 or Infinity",
    ],
    [{ rate: "1" } as unknown as RateLimiterOptions, TypeError, "'rate'"],
    [
      { limit: 5 },
      TypeError,
      "'limit' must be given together with 'window'",
    ],
    [
      { window: 5 },
      TypeError,
      "'window' must be given together with 'limit'",
    ],
    [
      { rate: 1, limit: 5, window: 5 },
      TypeError,
      "'rate' must be left out beside 'limit'",
    ],
    [
      { limit: 0, window: 1 },
      RangeError,
      "'limit' must be an integer >= 1",
    ],
    [{ limit: 1.5, window: 1 }, RangeError, "'limit'"],
    [{ limit: Infinity, window: 1 }, RangeError, "'limit'"],
    [
      { limit: 1, window: 0 },
      RangeError,
      "'window' must be a finite number of seconds > 0",
    ],
    [{ limit: 1, window: Infinity }, RangeError, "'window'"],
    [
      { maxPause: 0 },
      RangeError,
      "'maxPause' must be a number of seconds > 0",
    ],
    [{ maxPause: NaN }, RangeError, "'maxPause'"],
    [
      { maxWait: -1 },
      RangeError,
      "'maxWait' must be a number of seconds >= 0",
    ],
    [{ maxWait: NaN }, RangeError, "'maxWait'"],
    [
      { patience: 0 },
      RangeError,
      "'patience' must be a number of seconds > 0",
    ],
    [{ patience: "60" } as unknown as RateLimiterOptions, TypeError, "60"],
    [
      { refusalStatusCodes: [429, 200] },
      RangeError,
      "'refusalStatusCodes[1]' must be an integer from 400 to 599",
    ],
    [{ refusalStatusCodes: [429.5] }, RangeError, "'refusalStatusCodes[0]'"],
    [
      { refusalStatusCodes: 429 } as unknown as RateLimiterOptions,
      TypeError,
      "'refusalStatusCodes'",
    ],
    [
      { onEvent: "log" } as unknown as RateLimiterOptions,
      TypeError,
      "'onEvent' must be a function",
    ],
    [
      { requests: 1 } as RateLimiterOptions,
      TypeError,
      "'options' has no field 'requests': its fields are rate, burst, limit",
    ],
  ];
  for (const [options, type, message] of bad) {
    assertThrows(() => new RateLimiter(options), type, message);
  }
  new RateLimiter(null);
  new RateLimiter({ rate: null, burst: undefined, maxConcurrent: Infinity });
  new RateLimiter({
    ...{ limit: null, window: undefined, maxPause: Infinity, maxWait: 0 },
    ...{ patience: Infinity, refusalStatusCodes: [], onEvent: null },
  });
  new RateLimiter({ maxPause: 1e-3, maxWait: Infinity, patience: null });
});

// With retryWithBackoff.

Deno.test("retryWithBackoff() takes a turn before each attempt, and gives it back", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 1 });
    const starts: number[] = [];
    const outcome = watch(retryWithBackoff(({ number }) => {
      starts.push(seconds());
      return number < 3 ? new Response(null, { status: 503 }) : "done";
    }, { limiter, config: { ...EXACT, baseDelay: 0.1 } }));
    await finish(time);
    assertEquals([starts, outcome.value], [[0, 1, 2], "done"]);
  }));

Deno.test("retryWithBackoff() waits in the limiter after a 429, not twice", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const starts: number[] = [];
    const delays: number[] = [];
    const outcome = watch(retryWithBackoff(({ number }) => {
      starts.push(seconds());
      return number === 1 ? refuse(429, { "retry-after": "5" })() : "done";
    }, { limiter, onRetry: ({ delay }) => void delays.push(delay) }));
    await finish(time);
    assertEquals([starts, delays, outcome.value], [[0, 5], [5], "done"]);
  }));

Deno.test("retryWithBackoff() lets all calls learn from one refusal", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    let refused = 0;
    const outcomes = Array.from(
      { length: 50 },
      () =>
        watch(retryWithBackoff(() => {
          if (seconds() >= 5) return "done";
          refused++;
          return refuse(429, { "retry-after": "5" })();
        }, { limiter })),
    );
    await finish(time);
    assert(outcomes.every(({ value }) => value === "done"));
    assertEquals(refused, 1);
  }));

Deno.test("retryWithBackoff() gives its turn back however the attempt ends", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({
      rate: 1000,
      burst: 100,
      maxConcurrent: 1,
    });
    const config = { maxRetries: 0 };
    const never = () => new Promise(() => {});
    const ends: (() => Promise<unknown>)[] = [
      () => retryWithBackoff(() => "done", { limiter, config }),
      () => retryWithBackoff(() => new Response("x"), { limiter, config }),
      () => retryWithBackoff(refuse(404), { limiter, config }),
      () =>
        retryWithBackoff(() => Promise.reject(new Error("x")), {
          limiter,
          config,
        }),
      () => retryWithBackoff(never, { limiter, config, attemptTimeout: 1 }),
      () => retryWithBackoff(never, { limiter, config, totalTimeout: 1 }),
      () =>
        retryWithBackoff(never, {
          limiter,
          config,
          signal: AbortSignal.timeout(1000),
        }),
      () =>
        retryWithBackoff(refuse(503), {
          limiter,
          onRetry: () => Promise.reject("no"),
        }),
    ];
    for (const end of ends) {
      const outcome = watch(end());
      await pass(time, 2);
      assert(outcome.state !== "pending");
    }
    assertEquals(line(limiter, 1).length, 0);
    const turns = line(limiter, 1);
    await time.runMicrotasks();
    assertEquals(turns.length, 0);
  }));

Deno.test("retryWithBackoff() waits for its turn no longer than the signal allows", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    let calls = 0;
    const aborted = watch(
      retryWithBackoff(() => calls++, {
        limiter: paused(),
        signal: controller.signal,
      }),
    );
    await pass(time, 1);
    controller.abort("reason");
    await time.runMicrotasks();
    assertEquals(aborted, { state: "rejected", value: "reason" });
    assertEquals([calls, time.next()], [0, false]);
  }));

Deno.test("retryWithBackoff() does not wait for a turn that is known to come too late for totalTimeout", () =>
  onFakeTime(async (time) => {
    let calls = 0;
    const late = watch(
      retryWithBackoff(() => calls++, { limiter: paused(), totalTimeout: 2 }),
    );
    await time.runMicrotasks();
    assert(late.value instanceof RateLimitError, String(late.value));
    assertEquals(
      (late.value as RateLimitError).resumeAt,
      new Date(NOON + 5000),
    );
    assertEquals([calls, time.next()], [0, false]);
  }));

Deno.test("retryWithBackoff() leaves the queue when totalTimeout runs out", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ maxConcurrent: 1 });
    const [held] = await Promise.all([limiter.acquire()]);
    const late = watch(
      retryWithBackoff(() => 1, { limiter, totalTimeout: 2 }),
    );
    await pass(time, 1.999);
    assertEquals(late.state, "pending");
    await pass(time, 0.001);
    assertEquals((late.value as DOMException).name, "TimeoutError");
    held();
    assertEquals(time.next(), false);
  }));

Deno.test("retryWithBackoff() throws the last failure when totalTimeout runs out in the queue", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ rate: 0.1 });
    const error = new DOMException("late", "TimeoutError");
    const outcome = watch(retryWithBackoff(() => {
      throw error;
    }, { limiter, totalTimeout: 5, config: EXACT }));
    await pass(time, 5);
    assertStrictEquals(outcome.value, error);
  }));

Deno.test("retryWithBackoff() refuses a limiter or a budget that is none", async () => {
  await assertRejects(
    () => retryWithBackoff(() => 1, { limiter: {} as RateLimiter }),
    TypeError,
    "'limiter' must be a RateLimiter",
  );
  await assertRejects(
    () => retryWithBackoff(() => 1, { budget: {} as RetryBudget }),
    TypeError,
    "'budget' must be a RetryBudget",
  );
});

// A whole job, on a fake clock.

for (
  const [name, limit] of [
    [
      "a window that tells Retry-After only",
      () => fixedWindow(20, 2, "retry-after"),
    ],
    [
      "a window with the draft's RateLimit",
      () => fixedWindow(20, 2, "draft-8"),
    ],
    ["a bucket with Jira's headers", () => bucket(10, 5, "jira")],
    ["a bucket that says nothing", () => bucket(10, 5, "none")],
  ] as const
) {
  Deno.test(`RateLimiter brings 16 workers home from ${name}, and sends nothing in a pause`, () =>
    onFakeTime(async (time) => {
      for (const seed of [1, 2, 3]) {
        const random = randomNumbers(seed);
        const decide = limit();
        const limiter = new RateLimiter();
        let refusedAt = 0;
        let pausedUntil = 0;
        let refused = 0;
        let left = 60;
        const request = async () => {
          // What goes in the same millisecond went before the refusal came.
          const now = Date.now();
          assert(now === refusedAt || now >= pausedUntil, "sent in a pause");
          await wait(2 + 4 * random());
          const answer = decide(Date.now() / 1000, 0);
          await wait(2 + 4 * random());
          if (answer.status === 429) {
            refused++;
            refusedAt = Date.now();
            const asked = Number(
              answer.headers["Retry-After"] ?? answer.headers["retry-after"] ??
                0,
            );
            pausedUntil = Math.max(pausedUntil, Date.now() + asked * 1000);
          }
          return new Response(null, answer);
        };
        const worker = async () => {
          while (left-- > 0) await retryWithBackoff(request, { limiter });
        };
        const done = watch(Promise.all(Array.from({ length: 16 }, worker)));
        await finish(time);
        assertEquals(done.state, "fulfilled", String(done.value));
        assert(refused <= 24, `${refused} refused`);
      }
    }));
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
