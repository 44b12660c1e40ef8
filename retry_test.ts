import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  type Attempt,
  attemptsOf,
  DEFAULT_RETRY,
  type Failure,
  logRetry,
  parseRetryAfter,
  retryable,
  RetryConfig,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "./retry.ts";
import { HttpError } from "./http_error.ts";
import { queueOf } from "./queue/queue.ts";
import { RateLimiter } from "./rate_limiter.ts";
import {
  countListeners,
  EXACT,
  finish,
  networkError,
  NOON,
  onFakeTime,
  pass,
  play,
  refuse,
  watch,
} from "./testing/play.ts";

const exact = { config: EXACT };
const timeout = () => new DOMException("late", "TimeoutError");
const never = () => new Promise<never>(() => {});

// The sixteen cases of the original plan, by their names.

Deno.test("RetryConfig: defaults", () => {
  const { maxRetries, baseDelay, maxDelay, jitter } = new RetryConfig();
  assertEquals([maxRetries, baseDelay, maxDelay, jitter], [3, 1, 60, true]);
});

Deno.test("RetryConfig: custom values", () => {
  const config = new RetryConfig({ maxRetries: 1, baseDelay: 0.1 });
  assertEquals([config.maxRetries, config.baseDelay], [1, 0.1]);
});

Deno.test("RetryConfig: retryable status codes include 429", () => {
  assert(DEFAULT_RETRY.retryableStatusCodes.includes(429));
});

Deno.test("RetryConfig: retryable status codes include 503", () => {
  assert(DEFAULT_RETRY.retryableStatusCodes.includes(503));
});

Deno.test("parseRetryAfter: integer seconds", () => {
  assertEquals(parseRetryAfter("30"), 30);
});

Deno.test("parseRetryAfter: zero seconds", () => {
  assertEquals(parseRetryAfter("0"), 0);
});

Deno.test("parseRetryAfter: large value capped", () => {
  assertEquals(parseRetryAfter("999"), 300);
});

Deno.test("parseRetryAfter: negative clamped to zero", () => {
  assertEquals(parseRetryAfter("-5"), 0);
});

Deno.test("parseRetryAfter: HTTP date in the future", () =>
  onFakeTime(() => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    assertEquals(parseRetryAfter(date), 30);
    return Promise.resolve();
  }));

Deno.test("parseRetryAfter: HTTP date in the past clamped", () =>
  onFakeTime(() => {
    const date = new Date(Date.now() - 30_000).toUTCString();
    assertEquals(parseRetryAfter(date), 0);
    return Promise.resolve();
  }));

Deno.test("parseRetryAfter: unparseable returns default", () => {
  assertEquals(parseRetryAfter("invalid garbage"), 5);
});

Deno.test("retryWithBackoff: success on first attempt", async () => {
  const { starts, value } = await play(["done"], exact);
  assertEquals([starts, value], [[0], "done"]);
});

Deno.test("retryWithBackoff: retries on 429, then succeeds", async () => {
  const { starts, value } = await play(
    [refuse(429), refuse(429), "done"],
    exact,
  );
  assertEquals([starts, value], [[0, 1, 3], "done"]);
});

Deno.test("retryWithBackoff: raises after max retries exhausted", async () => {
  const { starts, state, value } = await play([refuse(429)], exact);
  assertEquals([starts, state], [[0, 1, 3, 7], "rejected"]);
  assert(value instanceof HttpError);
  assertEquals((value as HttpError).status, 429);
});

Deno.test("retryWithBackoff: non-retryable 404 raises immediately", async () => {
  const { starts, end, value } = await play([refuse(404)], exact);
  assertEquals([starts, end], [[0], 0]);
  assertEquals((value as HttpError).status, 404);
});

Deno.test("retryWithBackoff: timeout error is retried", async () => {
  const { starts, value } = await play([timeout(), "done"], exact);
  assertEquals([starts, value], [[0, 1], "done"]);
});

// What is retried.

for (const status of [429, 503, 504]) {
  for (const how of ["returned", "thrown", "thrown as HttpError"]) {
    Deno.test(`retryWithBackoff() retries a ${status} that is ${how}`, async () => {
      const { starts, value } = await play([() => {
        const response = new Response(null, { status });
        if (how === "returned") return response;
        throw how === "thrown" ? response : new HttpError(response);
      }, "done"], exact);
      assertEquals([starts, value], [[0, 1], "done"]);
    });
  }
}

for (const status of [400, 401, 403, 404, 408, 500, 502]) {
  Deno.test(`retryWithBackoff() does not retry ${status}`, async () => {
    const { starts, state, events } = await play([refuse(status)], exact);
    assertEquals([starts, state, events], [[0], "rejected", []]);
  });
}

for (const status of [200, 204, 304]) {
  Deno.test(`retryWithBackoff() resolves with a ${status} untouched`, async () => {
    const response = new Response(null, { status });
    const { starts, value } = await play([response], exact);
    assertEquals(starts, [0]);
    assertStrictEquals(value, response);
  });
}

for (
  const [name, error] of [
    ["a network failure", networkError()],
    ["a timeout", timeout()],
    ["an error with a code", Object.assign(new Error(), { code: "EPIPE" })],
    [
      "an axios error",
      Object.assign(new Error(), { response: { status: 503, headers: {} } }),
    ],
  ] as const
) {
  Deno.test(`retryWithBackoff() retries ${name} and throws it as it is in the end`, async () => {
    const { starts, value } = await play([error], exact);
    assertEquals(starts, [0, 1, 3, 7]);
    assertStrictEquals(value, error);
  });
}

for (
  const error of [
    new TypeError("Cannot read properties of undefined"),
    new DOMException("aborted", "AbortError"),
    new Error("other"),
    "a string",
    undefined,
    null,
    0,
  ]
) {
  Deno.test(`retryWithBackoff() throws ${String(error)} at once, untouched`, async () => {
    const { starts, state, value } = await play([() => {
      throw error;
    }], exact);
    assertEquals([starts, state], [[0], "rejected"]);
    assertStrictEquals(value, error);
  });
}

Deno.test("retryWithBackoff() rethrows a thrown Response itself", async () => {
  const response = new Response("why", { status: 404 });
  const { value } = await play([() => {
    throw response;
  }], exact);
  assertStrictEquals(value, response);
  assertEquals(await response.text(), "why");
});

Deno.test("retryWithBackoff() retries GitHub's 403, and only that", async () => {
  const limited = refuse(403, { "retry-after": "9" });
  assertEquals((await play([limited, "done"], exact)).starts, [0, 9]);
  const empty = refuse(403, {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${NOON / 1000 + 30}`,
  });
  assertEquals((await play([empty, "done"], exact)).starts, [0, 30]);
  assertEquals(
    (await play([refuse(403, { "x-ratelimit-remaining": "5" })], exact)).starts,
    [0],
  );
  const config = { ...EXACT, retryableStatusCodes: [503] };
  assertEquals((await play([limited], { config })).starts, [0]);
});

Deno.test("retryWithBackoff() lets x-should-retry override the status", async () => {
  assertEquals(
    (await play([refuse(409, { "x-should-retry": "true" }), "done"], exact))
      .starts,
    [0, 1],
  );
  assertEquals(
    (await play([refuse(429, { "x-should-retry": "false" })], exact)).starts,
    [0],
  );
  assertEquals(
    (await play([refuse(429, { "x-should-retry": "maybe" }), "done"], exact))
      .starts,
    [0, 1],
  );
});

Deno.test("retryWithBackoff() takes the statuses of its config", async () => {
  const config = { ...EXACT, retryableStatusCodes: [418] };
  assertEquals((await play([refuse(418), "done"], { config })).starts, [0, 1]);
  assertEquals((await play([refuse(429)], { config })).starts, [0]);
});

// How often and how long.

Deno.test("retryWithBackoff() takes a plain config and a RetryConfig", async () => {
  const plain = { maxRetries: 1, baseDelay: 0.5, jitter: false };
  for (const config of [plain, new RetryConfig(plain)]) {
    assertEquals((await play([refuse(503)], { config })).starts, [0, 0.5]);
  }
});

Deno.test("retryWithBackoff() does not retry with maxRetries 0", async () => {
  assertEquals(
    (await play([refuse(503)], { config: { maxRetries: 0 } })).starts,
    [0],
  );
});

Deno.test("retryWithBackoff() retries for ever with maxRetries Infinity", async () => {
  const { starts, events, value } = await play(
    [...Array(300).fill(refuse(503)), "done"],
    { config: { ...EXACT, maxRetries: Infinity, maxDelay: 2 } },
  );
  assertEquals(value, "done");
  assertEquals(starts.at(-1), 1 + 299 * 2);
  assertEquals(events.at(-1)?.retriesLeft, Infinity);
});

Deno.test("retryWithBackoff() with no delay retries at once, but only once", () =>
  onFakeTime(async (time) => {
    let calls = 0;
    const outcome = watch(retryWithBackoff(() => {
      if (++calls < 3) throw timeout();
      return calls;
    }, { config: { baseDelay: 0 } }));
    await time.runMicrotasks();
    assertEquals(calls, 2);
    await finish(time);
    assertEquals(outcome, { state: "fulfilled", value: 3 });
  }));

Deno.test("retryWithBackoff() with no delay at all still lets the world turn", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort("enough"), 1);
    const outcome = watch(retryWithBackoff(() => {
      throw timeout();
    }, {
      signal: controller.signal,
      config: { maxRetries: Infinity, baseDelay: 0 },
    }));
    for (let turn = 0; turn < 20; turn++) await pass(time, 0);
    assertEquals(outcome.state, "pending");
    await pass(time, 0.001);
    assertEquals(outcome, { state: "rejected", value: "enough" });
  }));

Deno.test("retryWithBackoff() jitters the backoff, up to double", async () => {
  for (let run = 0; run < 20; run++) {
    const { starts } = await play([refuse(503)]);
    const delays = starts.slice(1).map((start, index) =>
      start - starts[index]!
    );
    for (const [index, delay] of delays.entries()) {
      assert(delay >= 2 ** index && delay <= 2 ** (index + 1) + 0.001);
    }
  }
});

Deno.test("retryWithBackoff() waits as long as the server asked, on every attempt, without jitter", async () => {
  const { starts, events } = await play([
    refuse(429, { "retry-after": "7" }),
    refuse(503, { "retry-after": "Mon, 23 Nov 2026 12:00:20 GMT" }),
    refuse(504),
    "done",
  ], { config: { jitter: (delay) => delay + 0.5 } });
  assertEquals(starts, [0, 7, 20, 24.5]);
  assertEquals(events.map(({ delaySource }) => delaySource), [
    "retry-after",
    "retry-after",
    "backoff",
  ]);
  assertEquals(events.map(({ failure }) => failure.retryAfter), [
    7,
    13,
    undefined,
  ]);
});

Deno.test("retryWithBackoff() waits no shorter than asked, also below the backoff", async () => {
  const { starts } = await play([
    refuse(429, { "retry-after": "0.25" }),
    "done",
  ], exact);
  assertEquals(starts, [0, 0.25]);
});

Deno.test("retryWithBackoff() clamps what the server asked to maxRetryAfter", async () => {
  const asked = refuse(429, { "retry-after": "86400" });
  const { starts, events } = await play([asked, "done"], exact);
  assertEquals(starts, [0, 300]);
  assertEquals(events[0]!.failure.retryAfter, 86400);
  for (const maxRetryAfter of [10, 1000]) {
    const config = { ...EXACT, maxRetryAfter };
    const options = { config, retryAfterHeader: "9999" };
    for (const failure of [asked, refuse(429)]) {
      const { starts } = await play([failure, "done"], options);
      assertEquals(starts, [0, maxRetryAfter]);
    }
  }
});

Deno.test("retryWithBackoff() takes 0 s and past dates for nothing asked", async () => {
  for (const value of ["0", "-1", "Mon, 23 Nov 2026 11:00:00 GMT"]) {
    const { starts, events } = await play([
      refuse(429, { "retry-after": value }),
    ], exact);
    assertEquals(starts, [0, 1, 3, 7], value);
    assertEquals(events[0]!.delaySource, "backoff");
    assertEquals(events[0]!.failure.retryAfter, 0);
  }
});

Deno.test("retryWithBackoff() waits 5 s for a malformed Retry-After", async () => {
  const { starts } = await play([
    refuse(429, { "retry-after": "soon" }),
    "done",
  ], exact);
  assertEquals(starts, [0, 5]);
});

Deno.test("retryWithBackoff() reads the headers of other clients' errors", async () => {
  const error = Object.assign(new Error("429"), {
    response: { status: 429, headers: { "Retry-After": ["4"] } },
  });
  assertEquals((await play([error, "done"], exact)).starts, [0, 4]);
});

Deno.test("retryWithBackoff() takes retryAfterHeader for the first retry only", async () => {
  const options = { ...exact, retryAfterHeader: "9" };
  const { starts, events } = await play([refuse(503)], options);
  assertEquals(starts, [0, 9, 11, 15]);
  assertEquals(events.map(({ delaySource }) => delaySource), [
    "retry-after",
    "backoff",
    "backoff",
  ]);
});

Deno.test("retryWithBackoff() prefers the failure's own header to retryAfterHeader", async () => {
  const script = [refuse(429, { "retry-after": "3" }), "done"];
  assertEquals(
    (await play(script, { ...exact, retryAfterHeader: "9" })).starts,
    [0, 3],
  );
});

Deno.test("retryWithBackoff() reads retryAfterHeader when it needs it, and clamps it", async () => {
  const date = "Mon, 23 Nov 2026 12:00:30 GMT";
  assertEquals(
    (await play([timeout(), "done"], { ...exact, retryAfterHeader: date }))
      .starts,
    [0, 30],
  );
  const config = { ...EXACT, maxRetryAfter: 2 };
  for (const retryAfterHeader of ["900", "soon"]) {
    assertEquals(
      (await play([timeout(), "done"], { config, retryAfterHeader })).starts,
      [0, 2],
    );
  }
  assertEquals(
    (await play([timeout(), "done"], { ...exact, retryAfterHeader: "0" }))
      .starts,
    [0, 1],
  );
});

Deno.test("retryWithBackoff() calls fn in the same tick", () => {
  const calls: number[] = [];
  for (
    const options of [undefined, {
      attemptTimeout: 5,
      totalTimeout: 9,
      signal: new AbortController().signal,
    }]
  ) {
    const call = retryWithBackoff(({ number }) => calls.push(number), options);
    assertEquals(calls.splice(0), [1]);
    watch(call);
  }
});

Deno.test("retryWithBackoff() takes functions that are not async, and thenables", async () => {
  assertEquals(await retryWithBackoff(() => 7), 7);
  const thenable = { then: (done: (value: number) => void) => done(8) };
  assertEquals(
    await retryWithBackoff(() => thenable as PromiseLike<number>),
    8,
  );
  assertEquals(
    await retryWithBackoff(() => thenable as PromiseLike<number>, {
      attemptTimeout: 1,
    }),
    8,
  );
  assertEquals(await retryWithBackoff(() => undefined), undefined);
});

Deno.test("retryWithBackoff() counts attempts from 1", async () => {
  const numbers: number[] = [];
  await play([({ number }: Attempt) => {
    numbers.push(number);
    throw timeout();
  }], exact);
  assertEquals(numbers, [1, 2, 3, 4]);
});

// Hooks.

Deno.test("retryWithBackoff() tells onRetry what happened before each sleep", async () => {
  const { events } = await play([
    refuse(429, { "retry-after": "3" }),
    networkError(),
    "done",
  ], exact);
  assertEquals(events.length, 2);
  const [first, second] = events as [RetryEvent, RetryEvent];
  const { failure, ...rest } = first;
  assertEquals(rest, {
    attempt: 1,
    retriesLeft: 2,
    delay: 3,
    delaySource: "retry-after",
    elapsed: 0,
  });
  assertEquals(failure.kind, "status");
  assertEquals(failure.status, 429);
  assertEquals(failure.retryAfter, 3);
  const error = failure.error as HttpError;
  assert(error instanceof HttpError);
  assertStrictEquals(failure.response, error.response);
  assertStrictEquals(failure.headers, error.headers);
  assertEquals([
    second.attempt,
    second.retriesLeft,
    second.delay,
    second.elapsed,
  ], [2, 1, 2, 3]);
  assertEquals(second.failure.kind, "network");
});

Deno.test("retryWithBackoff() waits for onRetry, then sleeps", () =>
  onFakeTime(async (time) => {
    const starts: number[] = [];
    const outcome = watch(retryWithBackoff(({ number }) => {
      starts.push(Date.now() - NOON);
      if (number === 1) throw timeout();
    }, {
      ...exact,
      onRetry: () => new Promise((done) => setTimeout(done, 500)),
    }));
    await finish(time);
    assertEquals(starts, [0, 1500]);
    assertEquals(outcome.state, "fulfilled");
  }));

Deno.test("retryWithBackoff() ends with what onRetry throws", async () => {
  for (
    const hook of [() => Promise.reject("no more"), () => {
      throw "no more";
    }]
  ) {
    const { starts, state, value } = await play([refuse(503)], {
      ...exact,
      onRetry: hook,
    });
    assertEquals([starts, state, value], [[0], "rejected", "no more"]);
  }
});

Deno.test("retryWithBackoff() does not call onRetry where no retry follows", async () => {
  assertEquals(
    (await play([refuse(503)], { config: { maxRetries: 0 } })).events,
    [],
  );
  assertEquals((await play([refuse(404)])).events, []);
  assertEquals(
    (await play([refuse(503)], { ...exact, totalTimeout: 0.5 })).events,
    [],
  );
});

Deno.test("retryWithBackoff() asks shouldRetry instead of its own rules", async () => {
  const asked: Failure[] = [];
  const shouldRetry = (failure: Failure) => {
    asked.push(failure);
    return failure.kind === "other" || failure.status === 404;
  };
  const bug = new TypeError("x is not a function");
  assertEquals(
    (await play([bug, refuse(404), refuse(503)], { ...exact, shouldRetry }))
      .starts,
    [0, 1, 3],
  );
  assertEquals(asked.map(({ kind }) => kind), ["other", "status", "status"]);
  assertStrictEquals(asked[0]!.error, bug);
});

Deno.test("retryWithBackoff() waits for an asynchronous shouldRetry", async () => {
  const yes = () => Promise.resolve(true);
  assertEquals(
    (await play([new Error("x")], { ...exact, shouldRetry: yes })).starts,
    [0, 1, 3, 7],
  );
  const no = () => Promise.resolve(false);
  assertEquals(
    (await play([refuse(429)], { ...exact, shouldRetry: no })).starts,
    [0],
  );
});

Deno.test("retryWithBackoff() holds to its limits whatever shouldRetry says", async () => {
  const shouldRetry = () => true;
  assertEquals(
    (await play([refuse(404)], {
      config: { ...EXACT, maxRetries: 1 },
      shouldRetry,
    })).starts,
    [0, 1],
  );
  assertEquals(
    (await play([refuse(404)], { ...exact, totalTimeout: 2, shouldRetry }))
      .starts,
    [0, 1],
  );
});

Deno.test("retryWithBackoff() ends with what shouldRetry throws", async () => {
  const { starts, value } = await play([refuse(503)], {
    ...exact,
    shouldRetry: () => {
      throw "undecided";
    },
  });
  assertEquals([starts, value], [[0], "undecided"]);
});

Deno.test("retryWithBackoff() wants a clear answer of shouldRetry", async () => {
  const failure = networkError();
  for (const answer of [undefined, 1, "true", null]) {
    const { starts, value } = await play([failure], {
      shouldRetry: () => answer as unknown as boolean,
    });
    assertEquals(starts, [0]);
    const error = value as TypeError;
    assert(error instanceof TypeError);
    assertEquals(
      error.message,
      `Cannot retry as 'shouldRetry' must answer true or false: it answered ${answer}`,
    );
    assertStrictEquals(error.cause, failure);
  }
});

Deno.test("attemptsOf() gives the retries that led to a final error", async () => {
  const error = networkError();
  const { events, value } = await play([error], exact);
  assertEquals(attemptsOf(value), events);
  assertEquals(attemptsOf(value)?.map(({ attempt }) => attempt), [1, 2, 3]);
  assertEquals(Object.keys(error), []);
});

Deno.test("attemptsOf() gives all retries, but of endless ones the latest hundred", async () => {
  for (const [maxRetries, least] of [[300, 1], [Infinity, 201]] as const) {
    const { value } = await play(
      [...Array(300).fill(refuse(503)), refuse(404)],
      {
        config: { ...EXACT, maxRetries, maxDelay: 1 },
      },
    );
    const numbers = attemptsOf(value)!.map(({ attempt }) => attempt);
    const expected = Array.from(
      { length: 301 - least },
      (_, index) => least + index,
    );
    assertEquals(numbers, expected);
  }
});

Deno.test("attemptsOf() gives [] for an error that was never retried", async () => {
  const error = new Error("other");
  await play([error]);
  assertEquals(attemptsOf(error), []);
});

Deno.test("attemptsOf() gives undefined for any other value", async () => {
  const { value } = await play([() => {
    throw "a string";
  }]);
  for (const other of [value, new Error(), {}, 1, null, undefined]) {
    assertEquals(attemptsOf(other), undefined);
  }
});

Deno.test("logRetry() gives one line a retry", async () => {
  const { events } = await play([
    refuse(429),
    refuse(403, { "retry-after": "60" }),
    refuse(503),
    timeout(),
    networkError(),
    new Error("other"),
    "done",
  ], { config: { ...EXACT, maxRetries: 6 }, shouldRetry: () => true });
  assertEquals(events.map(logRetry), [
    "Rate limited (attempt 1/6), retrying in 1.0s",
    "Rate limited (attempt 2/6), retrying in 60.0s",
    "HTTP 503 (attempt 3/6), retrying in 4.0s",
    "Timed out (attempt 4/6), retrying in 8.0s",
    "Network error (attempt 5/6), retrying in 16.0s",
    "Failed (attempt 6/6), retrying in 32.0s",
  ]);
});

Deno.test("logRetry() leaves out a number of retries without end", async () => {
  const config = { ...EXACT, maxRetries: Infinity };
  const { events } = await play([refuse(429), "done"], { config });
  assertEquals(events.map(logRetry), [
    "Rate limited (attempt 1), retrying in 1.0s",
  ]);
});

// The caller's signal.

/** Reasons of every type; they must come out as they went in. */
const REASONS = [
  new Error("stop"),
  "stop",
  0,
  null,
  false,
  { why: "stop" },
  Symbol("stop"),
  new DOMException("", "TimeoutError"),
];

for (const reason of REASONS) {
  Deno.test(`retryWithBackoff() rejects with the reason ${String(reason)} at any time`, () =>
    onFakeTime(async (time) => {
      let calls = 0;
      const aborted = watch(
        retryWithBackoff(() => calls++, { signal: AbortSignal.abort(reason) }),
      );
      await time.runMicrotasks();
      assertEquals(calls, 0);

      const attempt = new AbortController();
      const inAttempt = watch(
        retryWithBackoff(never, { signal: attempt.signal }),
      );
      const sleep = new AbortController();
      const inSleep = watch(retryWithBackoff(() => {
        throw timeout();
      }, { signal: sleep.signal }));
      await pass(time, 0.5);
      attempt.abort(reason);
      sleep.abort(reason);
      await time.runMicrotasks();

      for (const outcome of [aborted, inAttempt, inSleep]) {
        assertEquals(outcome.state, "rejected");
        assertStrictEquals(outcome.value, reason);
      }
      assertEquals(time.next(), false);
    }));
}

Deno.test("retryWithBackoff() lets the reason outrank the attempt's own error", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const outcome = watch(retryWithBackoff(() => {
      controller.abort("reason");
      throw networkError();
    }, { signal: controller.signal }));
    await time.runMicrotasks();
    assertEquals(outcome, { state: "rejected", value: "reason" });
  }));

Deno.test("retryWithBackoff() rejects when fn aborts the signal and returns all the same", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const outcome = watch(retryWithBackoff(() => {
      controller.abort("reason");
      return "done";
    }, { signal: controller.signal }));
    await time.runMicrotasks();
    assertEquals(outcome, { state: "rejected", value: "reason" });
  }));

for (const hook of ["onRetry", "shouldRetry"] as const) {
  Deno.test(`retryWithBackoff() rejects with the reason while ${hook} is busy`, () =>
    onFakeTime(async (time) => {
      const controller = new AbortController();
      const response = new Response("why", { status: 503 });
      const outcome = watch(
        retryWithBackoff(() => response, {
          signal: controller.signal,
          [hook]: never,
        }),
      );
      await pass(time, 1);
      controller.abort("reason");
      await time.runMicrotasks();
      assertEquals(outcome, { state: "rejected", value: "reason" });
      assert(response.bodyUsed);
    }));

  Deno.test(`retryWithBackoff() rejects with the reason when ${hook} aborts`, () =>
    onFakeTime(async (time) => {
      const controller = new AbortController();
      let calls = 0;
      const outcome = watch(retryWithBackoff(() => {
        calls++;
        throw timeout();
      }, {
        signal: controller.signal,
        [hook]: () => {
          controller.abort("reason");
          return true;
        },
      }));
      await finish(time);
      assertEquals(outcome, { state: "rejected", value: "reason" });
      assertEquals(calls, 1);
    }));
}

Deno.test("retryWithBackoff() aborts the attempt's signal with the caller's", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const outcome = watch(retryWithBackoff(({ signal }) => {
      signals.push(signal);
      return never();
    }, { signal: controller.signal }));
    controller.abort("reason");
    assertEquals(signals.map(({ reason }) => reason), ["reason"]);
    await time.runMicrotasks();
    assertEquals(outcome.value, "reason");
  }));

Deno.test("retryWithBackoff() gives each attempt its own signal, and the same at each read", async () => {
  const signals: AbortSignal[] = [];
  await play([(attempt: Attempt) => {
    assertStrictEquals(attempt.signal, attempt.signal);
    signals.push(attempt.signal);
    throw timeout();
  }], exact);
  assertEquals(new Set(signals).size, 4);
  assert(signals.every(({ aborted }) => !aborted));
});

Deno.test("retryWithBackoff() leaves an attempt's signal alone once it has settled", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const signal = await retryWithBackoff((attempt) => attempt.signal, {
      signal: controller.signal,
      attemptTimeout: 1,
    });
    controller.abort();
    await finish(time);
    assertEquals(signal.aborted, false);
  }));

// Timeouts.

Deno.test("retryWithBackoff() ends an attempt at attemptTimeout, also if fn does not listen", () =>
  onFakeTime(async (time) => {
    const starts: number[] = [];
    const outcome = watch(retryWithBackoff(() => {
      starts.push(Date.now() - NOON);
      return never();
    }, { ...exact, attemptTimeout: 2 }));
    await finish(time);
    assertEquals(starts, [0, 3000, 7000, 13000]);
    assertEquals(outcome.state, "rejected");
    assertEquals((outcome.value as DOMException).name, "TimeoutError");
    assertEquals(Date.now() - NOON, 15000);
  }));

Deno.test("retryWithBackoff() aborts the attempt's signal at attemptTimeout", async () => {
  const { starts, value } = await play([
    ({ signal }: Attempt) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
    "done",
  ], { ...exact, attemptTimeout: 2 });
  assertEquals([starts, value], [[0, 3], "done"]);
});

Deno.test("retryWithBackoff() does not take a timeout for the caller's abort, nor the other way round", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const reason = timeout();
    setTimeout(() => controller.abort(reason), 1500);
    let calls = 0;
    const outcome = watch(retryWithBackoff(({ signal }) => {
      calls++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }, { ...exact, signal: controller.signal, attemptTimeout: 5 }));
    await finish(time);
    assertEquals(calls, 1);
    assertStrictEquals(outcome.value, reason);
  }));

Deno.test("retryWithBackoff() retries when a timeout of fn's own fires", () =>
  onFakeTime(async (time) => {
    let calls = 0;
    const outcome = watch(retryWithBackoff(() => {
      if (++calls > 1) return "done";
      const signal = AbortSignal.timeout(500);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    }, { ...exact, signal: new AbortController().signal }));
    await finish(time);
    assertEquals(outcome, { state: "fulfilled", value: "done" });
  }));

Deno.test("retryWithBackoff() throws the last failure at once when a retry could not start in time", async () => {
  const failures = [networkError(), networkError(), networkError()];
  const { starts, end, value } = await play(failures, {
    ...exact,
    totalTimeout: 6,
  });
  assertEquals([starts, end], [[0, 1, 3], 3]);
  assertStrictEquals(value, failures[2]);
  // A retry that would start with the last millisecond is too late as well.
  const late = await play(failures, { ...exact, totalTimeout: 3 });
  assertEquals([late.starts, late.end], [[0, 1], 1]);
  assertEquals(
    (await play(failures, { ...exact, totalTimeout: 3.001 })).starts,
    [0, 1, 3],
  );
});

Deno.test("retryWithBackoff() ends an attempt with a TimeoutError at totalTimeout", async () => {
  const { starts, end, value } = await play([refuse(503), never], {
    ...exact,
    totalTimeout: 2.5,
  });
  assertEquals([starts, end], [[0, 1], 2.5]);
  assertEquals((value as DOMException).name, "TimeoutError");
  assertEquals(attemptsOf(value)?.length, 1);
});

Deno.test("retryWithBackoff() tells fn of totalTimeout by its signal", async () => {
  const { value } = await play([
    ({ signal }: Attempt) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  ], { totalTimeout: 2 });
  assertEquals(
    (value as DOMException).message,
    "Gave up as 'totalTimeout' of 2 s ran out",
  );
});

Deno.test("retryWithBackoff() throws the last failure when totalTimeout runs out in a hook", async () => {
  for (const hook of ["onRetry", "shouldRetry"]) {
    const failure = networkError();
    const { end, value } = await play([failure], {
      totalTimeout: 2,
      [hook]: never,
    });
    assertEquals(end, 2);
    assertStrictEquals(value, failure);
  }
});

Deno.test("retryWithBackoff() throws the last failure when a hook used up the time of the sleep", async () => {
  const failure = networkError();
  const onRetry = () => new Promise<void>((done) => setTimeout(done, 500));
  const { starts, end, value } = await play([failure], {
    ...exact,
    totalTimeout: 1.2,
    onRetry,
  });
  assertEquals([starts, end], [[0], 0.5]);
  assertStrictEquals(value, failure);
});

Deno.test("retryWithBackoff() lets the caller's reason outrank totalTimeout", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const outcome = watch(
      retryWithBackoff(never, { signal: controller.signal, totalTimeout: 5 }),
    );
    await pass(time, 1);
    controller.abort("reason");
    await time.runMicrotasks();
    assertEquals(outcome, { state: "rejected", value: "reason" });
    assertEquals(time.next(), false);
  }));

Deno.test("retryWithBackoff() takes timeouts without end", async () => {
  const options = { ...exact, attemptTimeout: Infinity, totalTimeout: 1e9 };
  assertEquals((await play([timeout(), "done"], options)).starts, [0, 1]);
});

Deno.test("retryWithBackoff() tells the limiter how each attempt went", async () => {
  const told: (number | undefined)[] = [];
  const limiter = new RateLimiter();
  const queue = queueOf(limiter)!;
  const { tell } = queue;
  queue.tell = (turn, result) => {
    told.push(result?.status);
    return tell.call(queue, turn, result);
  };
  const script = [
    networkError(),
    refuse(503),
    new Response(null, { status: 204 }),
  ];
  await play(script, { ...exact, limiter });
  await play(["parsed"], { ...exact, limiter });
  assertEquals(told, [undefined, 503, 204, 200]);
});

// Nothing leaks.

/** Every way in which a call can end. */
const ENDINGS: [string, () => unknown, RetryOptions][] = [
  ["success", () => "done", {}],
  ["asynchronous success", () => Promise.resolve("done"), {}],
  ["a failure that is not retried", refuse(404), {}],
  ["retries that ran out", refuse(503), {}],
  ["a failure that is thrown at once", () => {
    throw timeout();
  }, {}],
  ["attemptTimeout", never, { attemptTimeout: 1 }],
  ["totalTimeout", never, { totalTimeout: 1 }],
  ["totalTimeout before a retry", refuse(503), { totalTimeout: 0.5 }],
  ["a hook that throws", refuse(503), { onRetry: () => Promise.reject("no") }],
  ["a predicate that throws", refuse(503), {
    shouldRetry: () => Promise.reject("no"),
  }],
  ["a jitter that is wrong", refuse(503), { config: { jitter: () => NaN } }],
];

const LIMITS: [string, RetryOptions][] = [
  ["", {}],
  [", with timeouts", { attemptTimeout: 50, totalTimeout: 500 }],
];

for (const [limited, limits] of LIMITS) {
  for (const [name, fn, options] of ENDINGS) {
    Deno.test(`retryWithBackoff() leaves no listener and no timer after ${name}${limited}`, () =>
      onFakeTime(async (time) => {
        const { signal } = new AbortController();
        const listeners = countListeners(signal);
        const outcome = watch(retryWithBackoff(({ signal }) => signal && fn(), {
          ...exact,
          ...limits,
          ...options,
          signal,
        }));
        do await time.runMicrotasks(); while (
          outcome.state === "pending" && time.next()
        );
        assert(outcome.state !== "pending");
        assertEquals(listeners.added, listeners.removed);
        assertEquals(time.next(), false);
      }));
  }
}

for (
  const [name, fn, calls] of [
    ["an attempt", never, 100_000],
    ["a sleep", refuse(503), 10_000],
  ] as const
) {
  Deno.test(`retryWithBackoff() has one listener for ${calls} calls aborted in ${name}`, () =>
    onFakeTime(async (time) => {
      const controller = new AbortController();
      const listeners = countListeners(controller.signal);
      let rejected = 0;
      for (let call = 0; call < calls; call++) {
        retryWithBackoff(fn, {
          signal: controller.signal,
          config: DEFAULT_RETRY,
        }).catch((reason) => {
          if (reason === "reason") rejected++;
        });
      }
      await time.runMicrotasks();
      assert(listeners.added - listeners.removed === 1);
      controller.abort("reason");
      await time.runMicrotasks();
      assertEquals(rejected, calls);
      assertEquals(listeners.added, listeners.removed);
      assertEquals(time.next(), false);
    }));
}

// Every test runner fails on an unhandled rejection.
Deno.test("retryWithBackoff() never lets an attempt that comes too late become an unhandled rejection", () =>
  onFakeTime(async (time) => {
    const options = { attemptTimeout: 1, config: { maxRetries: 0 } };
    const outcome = watch(retryWithBackoff(
      () => new Promise((_, reject) => setTimeout(() => reject("late"), 2000)),
      options,
    ));
    await pass(time, 1);
    assertEquals(outcome.state, "rejected");
    await pass(time, 1);
  }));

// Bodies.

/** A refusal whose body tells when it is cancelled. */
function cancellable(
  status = 503,
): { response: Response; cancelled: () => boolean } {
  let cancelled = false;
  const body = new ReadableStream({
    cancel() {
      cancelled = true;
    },
  });
  return {
    response: new Response(body, { status }),
    cancelled: () => cancelled,
  };
}

for (const how of ["returned", "thrown", "thrown as HttpError"]) {
  Deno.test(`retryWithBackoff() cancels the body of a response that was ${how}, before the sleep, not before onRetry`, () =>
    onFakeTime(async (time) => {
      const { response, cancelled } = cancellable();
      const seen: boolean[] = [];
      const outcome = watch(retryWithBackoff(({ number }) => {
        if (number > 1) return "done";
        if (how === "returned") return response;
        throw how === "thrown" ? response : new HttpError(response);
      }, { ...exact, onRetry: () => void seen.push(cancelled()) }));
      await pass(time, 0.5);
      assertEquals([seen, cancelled()], [[false], true]);
      await pass(time, 0.5);
      assertEquals(outcome.value, "done");
    }));
}

Deno.test("retryWithBackoff() hands the last response over with its body unread", async () => {
  const { value } = await play([refuse(503)], {
    config: { ...EXACT, maxRetries: 1 },
  });
  const error = value as HttpError;
  assertEquals(error.response.bodyUsed, false);
  assertEquals(await error.response.text(), "refused");
});

Deno.test("retryWithBackoff() cancels the body when a hook ends the call", async () => {
  const { response, cancelled } = cancellable();
  await play([response], { onRetry: () => Promise.reject("no") });
  assert(cancelled());
});

Deno.test("retryWithBackoff() cancels the body of a response that comes too late", () =>
  onFakeTime(async (time) => {
    const { response, cancelled } = cancellable(200);
    const outcome = watch(retryWithBackoff(
      () => new Promise((done) => setTimeout(() => done(response), 2000)),
      { attemptTimeout: 1, config: { maxRetries: 0 } },
    ));
    await pass(time, 1);
    assertEquals(outcome.state, "rejected");
    await pass(time, 1);
    assert(cancelled());
  }));

Deno.test("retryWithBackoff() leaves a body alone that the caller reads, has read, or that broke", async () => {
  const locked = new Response("why", { status: 503 });
  locked.body!.getReader();
  const read = new Response("why", { status: 503 });
  await read.text();
  const broken = new Response(
    new ReadableStream({
      start: (controller) => controller.error(new Error("broken")),
    }),
    { status: 503 },
  );
  const empty = new Response(null, { status: 503 });
  const { starts, value } = await play([locked, read, broken, empty, "done"], {
    config: { ...EXACT, maxRetries: 4 },
  });
  assertEquals([starts, value], [[0, 1, 3, 7, 15], "done"]);
});

Deno.test("retryWithBackoff() takes the responses of packages that have their own", async () => {
  const own = {
    status: 503,
    headers: { get: () => null },
    body: { destroy() {} },
    [Symbol.toStringTag]: "Response",
  };
  const { starts, value } = await play([own, "done"], exact);
  assertEquals([starts, value], [[0, 1], "done"]);
});

// Arguments.

Deno.test("retryWithBackoff() rejects, and retryable() throws, where fn is no function", async () => {
  const fn = "fetch" as unknown as () => void;
  const message = `'fn' must be a function: current value is "fetch"`;
  await assertRejects(() => retryWithBackoff(fn), TypeError, message);
  assertThrows(() => retryable(fn), TypeError, message);
});

Deno.test("retryWithBackoff() rejects with the RangeError of a jitter that is wrong", async () => {
  const { state, value } = await play([refuse(503)], {
    config: { jitter: () => -1 },
  });
  assertEquals(state, "rejected");
  assert(value instanceof RangeError);
});

Deno.test("retryable() keeps parameters, this and result, and retries", () =>
  onFakeTime(async (time) => {
    const api = {
      base: 10,
      calls: 0,
      add: retryable(
        function (this: { base: number; calls: number }, a: number, b: number) {
          if (++this.calls === 1) throw timeout();
          return this.base + a + b;
        },
        exact,
      ),
    };
    const outcome = watch(api.add(1, 2));
    await pass(time, 1);
    assertEquals(outcome, { state: "fulfilled", value: 13 });
    assertEquals(api.calls, 2);
  }));

// Properties.

Deno.test("retryWithBackoff() calls fn at most maxRetries + 1 times, and never before the server's time", async () => {
  const refusal = fc.record({
    status: fc.constantFrom(200, 404, 429, 503, 504),
    asked: fc.option(fc.integer({ min: 0, max: 400 })),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(refusal, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 6 }),
      async (script, maxRetries) => {
        const { starts } = await play(
          script.map(({ status, asked }) =>
            refuse(status, asked === null ? {} : { "retry-after": `${asked}` })
          ),
          { config: { maxRetries } },
        );
        assert(starts.length <= maxRetries + 1);
        for (const [index, start] of starts.slice(1).entries()) {
          const { asked } = script[Math.min(index, script.length - 1)]!;
          const least = Math.min(asked || 2 ** index, 300);
          assert(start - starts[index]! >= least - 1e-9);
        }
      },
    ),
    { numRuns: 100 },
  );
});
