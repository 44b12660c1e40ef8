import { assert, assertEquals, assertThrows } from "@std/assert";
import { stub } from "@std/testing/mock";
import fc from "fast-check";
import {
  additiveJitter,
  backoffDelay,
  equalJitter,
  fullJitter,
} from "./backoff.ts";
import { RetryConfig } from "./config.ts";

/** Runs `body` with `Math.random` giving `value`. */
function withRandom(value: number, body: () => void): void {
  const random = stub(Math, "random", () => value);
  try {
    body();
  } finally {
    random.restore();
  }
}

Deno.test("backoffDelay() doubles from baseDelay up to maxDelay", () => {
  const config = { baseDelay: 0.5, maxDelay: 3, jitter: false };
  const delays = [0, 1, 2, 3, 4, 100].map((n) => backoffDelay(config, n));
  assertEquals(delays, [0.5, 1, 2, 3, 3, 3]);
});

Deno.test("backoffDelay() fills in the defaults of a plain object", () => {
  assertEquals(backoffDelay({ jitter: false }, 0), 1);
  assertEquals(backoffDelay({ jitter: false }, 9), 60);
  assertEquals(
    backoffDelay({ baseDelay: undefined, maxDelay: null, jitter: false }, 2),
    4,
  );
});

Deno.test("backoffDelay() does not overflow for any attempt", () => {
  for (const attempt of [1023, 1024, 1e9, Number.MAX_VALUE, Infinity]) {
    assertEquals(backoffDelay({ jitter: false }, attempt), 60);
    assertEquals(backoffDelay({ baseDelay: 0 }, attempt), 0);
  }
});

Deno.test("backoffDelay() adds up to the delay itself by default", () => {
  withRandom(0.25, () => assertEquals(backoffDelay({}, 1), 2.5));
  withRandom(0.25, () => assertEquals(backoffDelay({ jitter: true }, 1), 2.5));
});

Deno.test("backoffDelay() applies the jitter after the cap", () => {
  withRandom(0.5, () => assertEquals(backoffDelay(new RetryConfig(), 20), 90));
});

Deno.test("backoffDelay() takes a jitter function at its word", () => {
  assertEquals(backoffDelay({ jitter: (delay) => delay / 8 }, 3), 1);
  assertEquals(backoffDelay({ jitter: () => 0 }, 3), 0);
});

Deno.test("backoffDelay() refuses a jitter that is not a number of seconds", () => {
  for (const bad of [NaN, Infinity, -1]) {
    assertThrows(
      () => backoffDelay({ jitter: () => bad }, 0),
      RangeError,
      `'jitter' must return a finite number of seconds >= 0: it returned ${bad} for 1`,
    );
  }
  for (const bad of [undefined, null, "2", {}]) {
    assertThrows(
      () => backoffDelay({ jitter: () => bad as unknown as number }, 0),
      RangeError,
      "'jitter' must return",
    );
  }
});

Deno.test("backoffDelay() refuses an attempt that is none", () => {
  for (const bad of [-1, 0.5, NaN]) {
    assertThrows(() => backoffDelay({}, bad), RangeError, "'attempt'");
  }
  assertThrows(
    () => backoffDelay({}, "1" as unknown as number),
    TypeError,
    `'attempt' must be an integer >= 0 or Infinity: current value is "1"`,
  );
});

Deno.test("backoffDelay() refuses fields out of range", () => {
  assertThrows(() => backoffDelay({ baseDelay: -1 }, 0), RangeError, "-1");
  assertThrows(
    () => backoffDelay({ baseDelay: 1000 }, 0),
    RangeError,
    "in seconds",
  );
});

Deno.test("additiveJitter() gives d to 2 d", () => {
  withRandom(0, () => assertEquals(additiveJitter(8), 8));
  withRandom(0.5, () => assertEquals(additiveJitter(8), 12));
});

Deno.test("fullJitter() gives 0 to d", () => {
  withRandom(0, () => assertEquals(fullJitter(8), 0));
  withRandom(0.5, () => assertEquals(fullJitter(8), 4));
});

Deno.test("equalJitter() gives d / 2 to d", () => {
  withRandom(0, () => assertEquals(equalJitter(8), 4));
  withRandom(0.5, () => assertEquals(equalJitter(8), 6));
});

Deno.test("backoffDelay() is monotone, bounded and finite for any config and attempt", () => {
  // Below a nanosecond, halves and doubles are not exact any more.
  const seconds = fc.oneof(
    fc.constant(0),
    fc.double({ min: 1e-9, max: 2147483, noNaN: true }),
  );
  const config = fc.tuple(seconds, seconds)
    .map((pair) => pair.toSorted((a, b) => a - b))
    .map(([low, high]) => [Math.min(low!, 600), high]);
  const attempt = fc.oneof(
    fc.nat(),
    fc.nat(2000),
    fc.constant(Number.MAX_SAFE_INTEGER),
  );
  fc.assert(fc.property(config, attempt, ([baseDelay, maxDelay], attempt) => {
    const plain = { baseDelay: baseDelay!, maxDelay: maxDelay!, jitter: false };
    const delay = backoffDelay(plain, attempt);
    assert(delay >= baseDelay! && delay <= maxDelay!);
    assert(backoffDelay(plain, attempt + 1) >= delay);
    for (
      const [jitter, low, high] of [
        [additiveJitter, 1, 2],
        [fullJitter, 0, 1],
        [equalJitter, 0.5, 1],
      ] as const
    ) {
      const jittered = backoffDelay({ ...plain, jitter }, attempt);
      assert(jittered >= low * delay && jittered <= high * delay);
    }
  }));
});
