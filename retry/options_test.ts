import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { RateLimiter } from "../rate_limiter.ts";
import { RetryBudget } from "../retry_budget.ts";
import {
  retryable,
  RetryConfig,
  type RetryOptions,
  retryWithBackoff,
} from "../retry.ts";
import {
  finish,
  networkError,
  onFakeTime,
  pass,
  play,
  watch,
} from "../testing/play.ts";

Deno.test("retryWithBackoff() and retryable() take undefined and null as absent", async () => {
  const absent: RetryOptions = {
    config: null,
    retryAfterHeader: undefined,
    signal: null,
    attemptTimeout: null,
    totalTimeout: undefined,
    shouldRetry: null,
    delay: null,
    onRetry: null,
    onGiveUp: undefined,
    limiter: null,
    budget: undefined,
  };
  for (const options of [absent, null, undefined]) {
    assertEquals(await retryWithBackoff(() => 1, options), 1);
    assertEquals(await retryable(() => 1, options)(), 1);
  }
});

Deno.test("retryWithBackoff() takes all its options together", async () => {
  const all: Required<RetryOptions> = {
    config: new RetryConfig(),
    retryAfterHeader: "5",
    signal: new AbortController().signal,
    attemptTimeout: 1,
    totalTimeout: Infinity,
    shouldRetry: () => true,
    delay: () => undefined,
    onRetry: () => {},
    onGiveUp: () => {},
    limiter: new RateLimiter(),
    budget: new RetryBudget(),
  };
  assertEquals(await retryWithBackoff(() => 1, all), 1);
  assertEquals(await retryable(() => 1, all)(), 1);
});

const BAD_OPTIONS: [unknown, typeof RangeError | typeof TypeError, string][] = [
  [
    { attemptTimeout: 0 },
    RangeError,
    "'attemptTimeout' must be a number of seconds > 0: current value is 0",
  ],
  [{ attemptTimeout: -1 }, RangeError, "'attemptTimeout'"],
  [{ attemptTimeout: NaN }, RangeError, "'attemptTimeout'"],
  [
    { attemptTimeout: "5" },
    TypeError,
    `'attemptTimeout' must be a number of seconds > 0: current value is "5"`,
  ],
  [{ totalTimeout: 0 }, RangeError, "'totalTimeout'"],
  [
    { totalTimeout: {} },
    TypeError,
    "'totalTimeout' must be a number of seconds > 0: current value is [object Object]",
  ],
  [{ config: { maxRetries: -1 } }, RangeError, "'maxRetries'"],
  [{ config: 3 }, TypeError, "'config' must be an object"],
  [
    { signal: {} },
    TypeError,
    "'signal' must be an AbortSignal: current value is [object Object]",
  ],
  [{ signal: new AbortController() }, TypeError, "'signal'"],
  [
    { retryAfterHeader: 5 },
    TypeError,
    "'retryAfterHeader' must be a string: current value is 5",
  ],
  [{ shouldRetry: true }, TypeError, "'shouldRetry' must be a function"],
  [{ onRetry: "log" }, TypeError, "'onRetry' must be a function"],
  [
    { delay: 5 },
    TypeError,
    "'delay' must be a function: current value is 5",
  ],
  [{ onGiveUp: {} }, TypeError, "'onGiveUp' must be a function"],
  [{ limiter: {} }, TypeError, "'limiter' must be a RateLimiter"],
  [{ budget: 10 }, TypeError, "'budget' must be a RetryBudget"],
  [
    { maxRetries: 3 },
    TypeError,
    "'options' has no field 'maxRetries': its fields are config, ",
  ],
  [
    { maxRetries: 5 },
    TypeError,
    "onGiveUp, limiter, budget; did you mean config.maxRetries?",
  ],
  [
    { config: { attemptTimeout: 5 } },
    TypeError,
    "maxRetryAfter; did you mean options.attemptTimeout?",
  ],
  ["fast", TypeError, `'options' must be an object: current value is "fast"`],
];

for (const [options, type, message] of BAD_OPTIONS) {
  const shown = JSON.stringify(options);
  Deno.test(`retryWithBackoff() rejects, and retryable() throws, on the options ${shown}`, async () => {
    let calls = 0;
    const fn = () => calls++;
    await assertRejects(
      () => retryWithBackoff(fn, options as RetryOptions),
      type,
      message,
    );
    assertThrows(() => retryable(fn, options as RetryOptions), type, message);
    assertEquals(calls, 0);
  });
}

Deno.test("retryWithBackoff() does not mind what others added to all objects", async () => {
  const everything = Object.prototype as { added?: boolean };
  everything.added = true;
  try {
    const config = { maxRetries: 1 };
    assertEquals(await retryWithBackoff(() => "done", { config }), "done");
  } finally {
    delete everything.added;
  }
});

Deno.test("retryWithBackoff() does not touch its options", async () => {
  const options = Object.freeze({
    config: Object.freeze({ jitter: false }),
    attemptTimeout: 5,
  });
  assertEquals((await play([networkError(), "done"], options)).starts, [0, 1]);
});

Deno.test("retryWithBackoff() goes by its options as they were when it was called", () =>
  onFakeTime(async (time) => {
    const config = {
      maxRetries: 1,
      jitter: false,
      retryableStatusCodes: [503],
    };
    const options = { config, attemptTimeout: 1, onRetry: () => {} };
    let calls = 0;
    const refused = new Response(null, { status: 503 });
    const outcome = watch(
      retryWithBackoff(() => ++calls === 1 ? refused : "done", options),
    );
    config.maxRetries = 0;
    config.retryableStatusCodes.pop();
    options.attemptTimeout = -1;
    options.onRetry = () => {
      throw new Error("another call's");
    };
    await pass(time, 1);
    assertEquals(outcome, { state: "fulfilled", value: "done" });
  }));

Deno.test("retryable() goes by its options as they were when it was made", () =>
  onFakeTime(async (time) => {
    const config = { maxRetries: 0 };
    const fail = retryable(() => Promise.reject(networkError()), { config });
    config.maxRetries = 9;
    const outcome = watch(fail());
    await finish(time);
    assertEquals(outcome.state, "rejected");
  }));
