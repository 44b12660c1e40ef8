import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { queueOf } from "../queue/queue.ts";
import { RateLimiter } from "../rate_limiter.ts";
import {
  attemptsOf,
  type FailedAttempt,
  type GiveUpEvent,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "../retry.ts";
import { RetryBudget } from "../retry_budget.ts";
import {
  EXACT,
  finish,
  networkError,
  onFakeTime,
  pass,
  play,
  refuse,
  watch,
} from "../testing/play.ts";
import { unhandledIn } from "../testing/unhandled.ts";

const exact = { config: EXACT };
const never = () => new Promise<never>(() => {});

// shouldRetry.

Deno.test("shouldRetry is told which attempt it was, and what is left", async () => {
  const told: FailedAttempt[] = [];
  await play([refuse(404)], {
    ...exact,
    shouldRetry: (_, attempt) => {
      told.push(attempt);
      return true;
    },
  });
  assertEquals(told, [
    { number: 1, retriesLeft: 2, elapsed: 0 },
    { number: 2, retriesLeft: 1, elapsed: 1 },
    { number: 3, retriesLeft: 0, elapsed: 3 },
    { number: 4, retriesLeft: 0, elapsed: 7 },
  ]);
});

Deno.test("shouldRetry is told of retries without end", async () => {
  const told: number[] = [];
  await play([refuse(404)], {
    config: { maxRetries: Infinity },
    shouldRetry: (_, { retriesLeft, number }) => {
      told.push(retriesLeft);
      return number < 2;
    },
  });
  assertEquals(told, [Infinity, Infinity]);
});

Deno.test("shouldRetry has no say after an AbortError", async () => {
  class OwnAbortError extends Error {
    override name = "AbortError";
  }
  for (
    const error of [
      new DOMException("aborted", "AbortError"),
      new OwnAbortError("stop retrying"),
    ]
  ) {
    let asked = 0;
    const { starts, value, gaveUp } = await play([error], {
      shouldRetry: () => {
        asked++;
        return true;
      },
    });
    assertEquals([starts, asked], [[0], 0]);
    assertStrictEquals(value, error);
    assertEquals(gaveUp.map(({ reason }) => reason), ["not-retryable"]);
  }
});

// delay.

Deno.test("delay is waited instead of the backoff, without jitter and cap", async () => {
  const { starts, events } = await play([refuse(503)], {
    config: { maxDelay: 1 },
    delay: ({ attempt }) => attempt * 1000,
  });
  assertEquals(starts, [0, 1000, 3000, 6000]);
  assertEquals(
    events.map(({ delay, delaySource }) => [delay, delaySource]),
    [[1000, "backoff"], [2000, "backoff"], [3000, "backoff"]],
  );
});

Deno.test("delay is told what would be waited otherwise, and undefined means just that", async () => {
  const told: RetryEvent[] = [];
  for (const nothing of [undefined, null]) {
    const { starts, events } = await play([refuse(503)], {
      ...exact,
      delay: (event) => {
        told.push(event);
        return nothing;
      },
    });
    assertEquals(starts, [0, 1, 3, 7]);
    assertEquals(told.splice(0), events);
  }
});

Deno.test("delay is no shorter than what the server asked for", async () => {
  for (
    const [chosen, waited, source] of [
      [1, 5, "retry-after"],
      [5, 5, "retry-after"],
      [6, 6, "backoff"],
      [0, 5, "retry-after"],
    ] as const
  ) {
    const { events } = await play(
      [refuse(429, { "retry-after": "5" }), "done"],
      { delay: () => chosen },
    );
    assertEquals([events[0]!.delay, events[0]!.delaySource], [waited, source]);
  }
  const beforehand = await play([refuse(503), "done"], {
    retryAfterHeader: "7",
    delay: () => 0,
  });
  assertEquals(beforehand.starts, [0, 7]);
});

Deno.test("delay may be 0", async () => {
  assertEquals(
    (await play([refuse(503)], { delay: () => 0 })).starts,
    [0, 0, 0, 0],
  );
});

Deno.test("delay is held to totalTimeout", async () => {
  const { end, gaveUp } = await play([refuse(503)], {
    totalTimeout: 5,
    delay: () => 5,
  });
  assertEquals([end, gaveUp[0]!.reason], [0, "total-timeout"]);
});

Deno.test("delay must return a finite number >= 0, and ends the call else", async () => {
  for (
    const wrong of [-1, NaN, Infinity, "1", Promise.resolve(1)] as number[]
  ) {
    const { starts, value, gaveUp } = await play([refuse(503)], {
      ...exact,
      delay: () => wrong,
    });
    assertEquals(starts, [0]);
    assert(value instanceof RangeError);
    assertEquals(
      (value as Error).message,
      `Cannot retry as 'delay' must return a finite number of seconds >= 0: it returned ${wrong} for 1`,
    );
    assertEquals(gaveUp[0]!.reason, "hook");
  }
  const { value } = await play([refuse(503)], {
    delay: () => {
      throw "undecided";
    },
  });
  assertEquals(value, "undecided");
});

// onRetry.

Deno.test("onRetry may return anything, and a thenable is awaited", () =>
  onFakeTime(async (time) => {
    const lines: unknown[] = [];
    const results: (() => unknown)[] = [
      () => lines.push("number"),
      () => "text",
      () => false,
      () => null,
      () => new Promise((done) => setTimeout(done, 1000)),
    ];
    const outcome = watch(retryWithBackoff(({ number }) => {
      if (number <= results.length) throw networkError();
      return Date.now();
    }, {
      config: { maxRetries: 9, baseDelay: 0 },
      onRetry: ({ attempt }) => results[attempt - 1]!(),
    }));
    const start = Date.now();
    await finish(time);
    assertEquals(lines, ["number"]);
    assertEquals(outcome, { state: "fulfilled", value: start + 1000 });
  }));

// onGiveUp.

/** Every way to end, why, and after how many attempts. */
const ENDINGS: [string, unknown[], RetryOptions, string, number][] = [
  ["a 404", [refuse(404)], {}, "not-retryable", 1],
  ["a bug", [new TypeError("x")], {}, "not-retryable", 1],
  [
    "shouldRetry's no",
    [refuse(503)],
    { shouldRetry: () => false },
    "not-retryable",
    1,
  ],
  ["retries that ran out", [refuse(503)], {}, "max-retries", 4],
  [
    "no retries at all",
    [refuse(503)],
    { config: { maxRetries: 0 } },
    "max-retries",
    1,
  ],
  [
    "a retry that would be too late",
    [refuse(503)],
    { totalTimeout: 2 },
    "total-timeout",
    2,
  ],
  [
    "totalTimeout in mid-attempt",
    [refuse(503), never],
    { totalTimeout: 2 },
    "total-timeout",
    2,
  ],
  [
    "totalTimeout in the last attempt",
    [never],
    { totalTimeout: 2, config: { maxRetries: 0 } },
    "total-timeout",
    1,
  ],
  [
    "totalTimeout in a hook",
    [refuse(503)],
    { totalTimeout: 2, onRetry: never },
    "total-timeout",
    1,
  ],
  [
    "totalTimeout in shouldRetry",
    [refuse(503)],
    { totalTimeout: 2, shouldRetry: never },
    "total-timeout",
    1,
  ],
  [
    "a hook that took too long",
    [refuse(503)],
    {
      totalTimeout: 2,
      onRetry: () => new Promise((done) => setTimeout(done, 1500)),
    },
    "total-timeout",
    1,
  ],
  [
    "a budget that is spent",
    [refuse(503)],
    { budget: new RetryBudget({ maxTokens: 1 }) },
    "budget",
    1,
  ],
];

for (const [name, script, options, reason, attempts] of ENDINGS) {
  Deno.test(`onGiveUp is called once after ${name}`, async () => {
    const { gaveUp, value, end } = await play(script, { ...exact, ...options });
    assertEquals(gaveUp.length, 1);
    const { error, failure, ...rest } = gaveUp[0]!;
    assertEquals(rest, { reason, attempts, elapsed: end } as typeof rest);
    assertStrictEquals(error, value);
    assertStrictEquals(failure!.error, value);
    assert(attemptsOf(value));
  });
}

Deno.test("onGiveUp is not called after a success, nor where nothing was begun", async () => {
  assertEquals((await play([refuse(503), "done"], exact)).gaveUp, []);
  const signal = AbortSignal.abort("reason");
  assertEquals((await play(["done"], { signal })).gaveUp, []);
  const gaveUp: GiveUpEvent[] = [];
  const onGiveUp = (event: GiveUpEvent) => gaveUp.push(event);
  await assertRejects(() =>
    retryWithBackoff(() => 1, { onGiveUp, attemptTimeout: -1 })
  );
  assertEquals(gaveUp, []);
});

Deno.test("onGiveUp is told what a hook threw, and the failure", async () => {
  for (
    const options of [
      { onRetry: () => Promise.reject("no more") },
      {
        shouldRetry: () => {
          throw "no more";
        },
      },
      {
        delay: () => {
          throw "no more";
        },
      },
    ]
  ) {
    const { gaveUp, value } = await play([refuse(503)], options);
    assertEquals([gaveUp.length, value], [1, "no more"]);
    const { failure, ...rest } = gaveUp[0]!;
    assertEquals(rest, {
      reason: "hook",
      attempts: 1,
      elapsed: 0,
      error: "no more",
    });
    assertEquals(failure!.status, 503);
  }
});

for (
  const [where, fn, attempts, status] of [
    ["an attempt", never, 1, undefined],
    ["a sleep", refuse(503), 1, 503],
  ] as const
) {
  Deno.test(`onGiveUp is called when the signal aborts in ${where}`, () =>
    onFakeTime(async (time) => {
      const gaveUp: GiveUpEvent[] = [];
      const controller = new AbortController();
      watch(retryWithBackoff(fn, {
        ...exact,
        signal: controller.signal,
        onGiveUp: (event) => gaveUp.push(event),
      }));
      await pass(time, 0.5);
      controller.abort("reason");
      await time.runMicrotasks();
      assertEquals(gaveUp.length, 1);
      const { failure, ...rest } = gaveUp[0]!;
      assertEquals(rest, {
        reason: "aborted",
        attempts,
        elapsed: 0.5,
        error: "reason",
      });
      assertEquals(failure?.status, status);
      assertEquals("failure" in gaveUp[0]!, status !== undefined);
    }));
}

/** A limiter that gives `turns` turns and then does what it is told. */
function limited(
  turns: number,
  then: (signal: AbortSignal | undefined) => Promise<never>,
): RateLimiter {
  const limiter = new RateLimiter();
  const queue = queueOf(limiter)!;
  const { tryAcquire } = queue;
  queue.tryAcquire = () => turns-- > 0 ? tryAcquire.call(queue) : undefined;
  queue.acquire = ({ signal }) => then(signal);
  return limiter;
}

const untilAborted = (signal: AbortSignal | undefined) =>
  new Promise<never>((_, reject) =>
    signal!.addEventListener("abort", () => reject(signal!.reason))
  );

Deno.test("onGiveUp is called in the limiter's queue, before the first attempt as well", async () => {
  for (const turns of [0, 1]) {
    const reason = new Error("the limiter's");
    const rejecting = await play([refuse(503)], {
      ...exact,
      limiter: limited(turns, () => Promise.reject(reason)),
    });
    const { failure, error, ...rest } = rejecting.gaveUp[0]!;
    assertEquals(rest, { reason: "limiter", attempts: turns, elapsed: turns });
    // After an attempt, its failure is what there is to say.
    assertStrictEquals(error, turns ? failure!.error : reason);
    assertStrictEquals(rejecting.value, error);

    const late = await play([refuse(503)], {
      ...exact,
      totalTimeout: 3,
      limiter: limited(turns, untilAborted),
    });
    assertEquals(late.gaveUp.length, 1);
    assertEquals(late.gaveUp[0]!.reason, "total-timeout");
    assertEquals([late.gaveUp[0]!.attempts, late.end], [turns, 3]);
    assertStrictEquals(late.gaveUp[0]!.error, late.value);
    if (turns) assertStrictEquals(late.gaveUp[0]!.failure!.error, late.value);
    else assertEquals((late.value as Error).name, "TimeoutError");
  }
});

Deno.test("onGiveUp is called when the signal aborts in the limiter's queue", () =>
  onFakeTime(async (time) => {
    const gaveUp: GiveUpEvent[] = [];
    const controller = new AbortController();
    const outcome = watch(retryWithBackoff(() => "done", {
      signal: controller.signal,
      limiter: limited(0, untilAborted),
      onGiveUp: (event) => gaveUp.push(event),
    }));
    await pass(time, 1);
    controller.abort("reason");
    await time.runMicrotasks();
    assertEquals(outcome.value, "reason");
    assertEquals(gaveUp, [
      { reason: "aborted", attempts: 0, elapsed: 1, error: "reason" },
    ]);
  }));

Deno.test("onGiveUp does not change what the call ends with; what it throws is an unhandled rejection", async () => {
  const onGiveUps = [
    () => {
      throw "a bug in the hook";
    },
    () => Promise.reject("a bug in the hook"),
  ];
  const unhandled = await unhandledIn(async () => {
    for (const onGiveUp of onGiveUps) {
      const { value, state } = await play([refuse(404)], { onGiveUp });
      assertEquals(state, "rejected");
      assertEquals((value as { status: number }).status, 404);
    }
  });
  assertEquals(unhandled, ["a bug in the hook", "a bug in the hook"]);
});

Deno.test("onGiveUp is not waited for", async () => {
  const { end } = await play([refuse(404)], {
    onGiveUp: () => new Promise((done) => setTimeout(done, 5000)),
  });
  assertEquals(end, 0);
});
