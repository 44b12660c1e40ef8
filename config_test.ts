import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { DEFAULT_RETRY, RetryConfig, type RetryConfigInit } from "./config.ts";

Deno.test("RetryConfig has the documented defaults", () => {
  assertEquals({ ...new RetryConfig() }, {
    maxRetries: 3,
    baseDelay: 1,
    maxDelay: 60,
    jitter: true,
    retryableStatusCodes: [429, 503, 504],
    maxRetryAfter: 300,
  });
  assertEquals({ ...DEFAULT_RETRY }, { ...new RetryConfig() });
  assert(DEFAULT_RETRY instanceof RetryConfig);
});

Deno.test("RetryConfig takes undefined and null as absent", () => {
  const init: RetryConfigInit = {
    maxRetries: undefined,
    baseDelay: null,
    maxDelay: undefined,
    jitter: null,
    retryableStatusCodes: undefined,
    maxRetryAfter: null,
  };
  assertEquals({ ...new RetryConfig(init) }, { ...DEFAULT_RETRY });
  assertEquals({ ...new RetryConfig(null) }, { ...DEFAULT_RETRY });
});

Deno.test("RetryConfig keeps what it is given", () => {
  const jitter = (delay: number) => delay;
  const config = new RetryConfig({
    maxRetries: Infinity,
    baseDelay: 0,
    maxDelay: 2147483,
    jitter,
    retryableStatusCodes: [400, 599],
    maxRetryAfter: 0,
  });
  assertEquals(config.maxRetries, Infinity);
  assertEquals(config.maxDelay, 2147483);
  assertStrictEquals(config.jitter, jitter);
  assertEquals(config.retryableStatusCodes, [400, 599]);
  assertEquals(config.maxRetryAfter, 0);
});

Deno.test("RetryConfig takes the ends of its ranges", () => {
  const config = new RetryConfig({
    maxRetries: 0,
    baseDelay: 600,
    maxDelay: 2147483,
    maxRetryAfter: 2147483,
  });
  assertEquals(config.maxRetries, 0);
  assertEquals(config.baseDelay, 600);
  assertEquals(config.maxRetryAfter, 2147483);
});

Deno.test("RetryConfig is frozen, and no door to the caller's array", () => {
  const codes = [500];
  const config = new RetryConfig({ retryableStatusCodes: codes });
  codes.push(501);
  assertEquals(config.retryableStatusCodes, [500]);
  assert(Object.isFrozen(config));
  assert(Object.isFrozen(config.retryableStatusCodes));
});

Deno.test("RetryConfig can be made from another one", () => {
  const config = new RetryConfig({ maxRetries: 7, jitter: false });
  assertEquals({ ...new RetryConfig(config) }, { ...config });
});

const OUT_OF_RANGE: [RetryConfigInit, string][] = [
  [
    { maxRetries: -1 },
    "'maxRetries' must be an integer >= 0 or Infinity: current value is -1",
  ],
  [{ maxRetries: 1.5 }, "'maxRetries'"],
  [{ maxRetries: NaN }, "'maxRetries'"],
  [{ maxRetries: -Infinity }, "'maxRetries'"],
  [
    { baseDelay: -0.1 },
    "'baseDelay' must be a finite number of seconds >= 0: current value is -0.1",
  ],
  [{ baseDelay: Infinity }, "'baseDelay'"],
  [{ baseDelay: NaN }, "'baseDelay'"],
  [
    { maxDelay: 2147484 },
    "'maxDelay' must be a number of seconds from 0 to 2147483: current value is 2147484",
  ],
  [{ maxDelay: NaN }, "'maxDelay'"],
  [{ maxDelay: -1 }, "'maxDelay'"],
  [
    { baseDelay: 1000 },
    "'baseDelay' must be <= 'maxDelay' (60), both in seconds, not milliseconds: current value is 1000",
  ],
  [{ maxDelay: 0.5 }, "in seconds"],
  [
    { baseDelay: 1000, maxDelay: 30000 },
    "'baseDelay' must be at most 600, since delays are in seconds, not milliseconds: current value is 1000",
  ],
  [{ baseDelay: 600.001, maxDelay: 601 }, "'baseDelay' must be at most 600"],
  [
    { retryableStatusCodes: [429, 200] },
    "'retryableStatusCodes[1]' must be an integer from 400 to 599: current value is 200",
  ],
  [{ retryableStatusCodes: [399] }, "'retryableStatusCodes[0]'"],
  [{ retryableStatusCodes: [600] }, "'retryableStatusCodes[0]'"],
  [{ retryableStatusCodes: [429.5] }, "'retryableStatusCodes[0]'"],
  [
    { maxRetryAfter: -1 },
    "'maxRetryAfter' must be a number of seconds from 0 to 2147483: current value is -1",
  ],
  [{ maxRetryAfter: 2147484 }, "'maxRetryAfter'"],
  [{ maxRetryAfter: NaN }, "'maxRetryAfter'"],
];

for (const [init, message] of OUT_OF_RANGE) {
  const [field, value] = Object.entries(init)[0]!;
  Deno.test(`RetryConfig refuses ${field} ${value}`, () => {
    assertThrows(() => new RetryConfig(init), RangeError, message);
  });
}

const WRONG_TYPE: [Record<string, unknown>, string][] = [
  [
    { maxRetries: "3" },
    `'maxRetries' must be an integer >= 0 or Infinity: current value is "3"`,
  ],
  [{ baseDelay: "1" }, "'baseDelay'"],
  [
    { maxDelay: [60] },
    "'maxDelay' must be a number of seconds from 0 to 2147483: current value is [object Array]",
  ],
  [
    { jitter: "full" },
    `'jitter' must be a boolean or a function: current value is "full"`,
  ],
  [{ jitter: 1 }, "'jitter'"],
  [{ retryableStatusCodes: 429 }, "'retryableStatusCodes' must be an array"],
  [
    { retryableStatusCodes: new Set([429]) },
    "'retryableStatusCodes' must be an array of integers from 400 to 599: current value is [object Set]",
  ],
  [{ retryableStatusCodes: ["429"] }, "'retryableStatusCodes[0]'"],
  [
    { maxRetryAfter: () => 1 },
    "'maxRetryAfter' must be a number of seconds from 0 to 2147483: current value is [object Function]",
  ],
  [
    { maxRetry: 3 },
    "'config' has no field 'maxRetry': its fields are maxRetries, baseDelay, maxDelay, jitter, retryableStatusCodes, maxRetryAfter",
  ],
];

Deno.test("RetryConfig tells where an option belongs that is none of its fields", () => {
  assertThrows(
    () => new RetryConfig({ totalTimeout: 5 } as RetryConfigInit),
    TypeError,
    "maxRetryAfter; did you mean options.totalTimeout?",
  );
});

for (const [init, message] of WRONG_TYPE) {
  Deno.test(`RetryConfig refuses the field ${Object.keys(init)} of a wrong type`, () => {
    assertThrows(() => new RetryConfig(init), TypeError, message);
  });
}

Deno.test("RetryConfig refuses what is no object", () => {
  const wrong = 3 as unknown as RetryConfigInit;
  assertThrows(
    () => new RetryConfig(wrong),
    TypeError,
    "'config' must be an object",
  );
});
