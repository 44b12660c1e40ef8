import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { RateLimitError } from "../http_error.ts";
import { RateLimiter } from "../rate_limiter.ts";
import {
  type Attempt,
  attemptsOf,
  logRetry,
  retryWithBackoff,
} from "../retry.ts";
import { RetryBudget } from "../retry_budget.ts";
import { now, runFor, runUntil, wait } from "../testing/job.ts";
import {
  EXACT,
  finish,
  networkError,
  NOON,
  onFakeTime,
  play,
  refuse,
  watch,
} from "../testing/play.ts";

// What a limiter changes for a call: a refusal for rate is not its own matter.

const EIGHT = Array.from({ length: 8 }, () => refuse(429));

Deno.test("retryWithBackoff() does not count refusals for rate against maxRetries", async () => {
  for (const maxRetries of [0, 1, 3]) {
    const { starts, value, events } = await play([...EIGHT, "done"], {
      config: { ...EXACT, maxRetries },
      limiter: new RateLimiter(),
    });
    assertEquals([starts.length, value], [9, "done"]);
    assertEquals(events.map(({ attempt }) => attempt), [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
    ]);
    assert(events.every(({ retriesLeft }) => retriesLeft === maxRetries));
  }
});

Deno.test("retryWithBackoff() counts other failures among refusals for rate as ever", async () => {
  const failing = [
    ...[refuse(429), networkError(), refuse(429), networkError(), refuse(429)],
    ...[networkError(), refuse(429), networkError()],
  ];
  const { starts, events, gaveUp } = await play(failing, {
    config: EXACT,
    limiter: new RateLimiter(),
  });
  assertEquals(starts.length, 8);
  assertEquals(
    events.map(({ retriesLeft }) => retriesLeft),
    [3, 2, 2, 1, 1, 0, 0],
  );
  assertEquals(gaveUp.map(({ reason, attempts }) => [reason, attempts]), [
    ["max-retries", 8],
  ]);
});

Deno.test("retryWithBackoff() does not raise the backoff by refusals for rate", async () => {
  // Eight refusals would make it 256 s. Something was accepted after them, so
  // that the failure is the call's own.
  const failing = ({ observe }: Attempt) => {
    observe({ status: 200 });
    throw networkError();
  };
  const { starts, events } = await play(
    [...EIGHT, failing, failing, "done"],
    { config: { ...EXACT, maxDelay: 600 }, limiter: new RateLimiter() },
  );
  const [ninth, tenth] = events.slice(8);
  assertEquals([ninth!.delay, tenth!.delay], [1, 2]);
  assertEquals([ninth!.delaySource, ninth!.retriesLeft], ["backoff", 2]);
  const [first, second, third] = starts.slice(-3);
  assert(second! - first! >= 0.999 && second! - first! < 1.1, `${starts}`);
  assert(third! - second! >= 1.999, `${starts}`);
});

for (
  const [name, failure] of [
    ["a bare 503", refuse(503)],
    ["a broken connection", networkError()],
  ] as const
) {
  Deno.test(`retryWithBackoff() does not burn its retries on probes of the limiter that meet ${name}`, async () => {
    for (const refusals of [1, 8]) {
      const script = ({ number }: Attempt) => {
        if (number <= refusals) return refuse(429)();
        if (now() > 4) return "done";
        if (failure instanceof Error) throw failure;
        return failure();
      };
      const { state, starts } = await play([script], {
        config: EXACT,
        limiter: new RateLimiter(),
      });
      assertEquals(state, "fulfilled", `${starts}`);
    }
  });
}

Deno.test("retryWithBackoff() takes nothing from a budget for refusals for rate", async () => {
  const budget = new RetryBudget({ maxTokens: 4 });
  const { value } = await play([...EIGHT, "done"], {
    budget,
    limiter: new RateLimiter(),
  });
  assertEquals([value, budget.allowsRetry], ["done", true]);
  const without = await play([...EIGHT, "done"], {
    config: { maxRetries: 10 },
    budget,
  });
  assertEquals(without.gaveUp.map(({ reason }) => reason), ["budget"]);
});

Deno.test("retryWithBackoff() announces the wait for the limiter, and waits that long", async () => {
  const scripts = [
    [refuse(429, { "retry-after": "7" })],
    [refuse(429), refuse(429), refuse(429)],
    [refuse(429, { "retry-after": "400" })],
    [refuse(429, { "retry-after": "90000" })],
    [refuse(403, {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": `${NOON / 1000 + 50}`,
    })],
  ];
  for (const script of scripts) {
    const { starts, events, value } = await play([...script, "done"], {
      limiter: new RateLimiter(),
    });
    assertEquals(value, "done");
    for (const [index, { delay, elapsed }] of events.entries()) {
      const waited = starts[index + 1]! - starts[index]!;
      assert(Math.abs(waited - delay) <= 0.002, `${waited} s, not ${delay}`);
      assertEquals(elapsed, starts[index]);
    }
  }
});

Deno.test("retryWithBackoff() tells of a refusal in the queue as of any other", async () => {
  const lines: string[] = [];
  await play([refuse(429, { "retry-after": "5" }), "done"], {
    limiter: new RateLimiter(),
    onRetry: (event) => void lines.push(logRetry(event)),
  });
  assertEquals(lines, ["Rate limited (attempt 1/4), retrying in 5.0s"]);
});

Deno.test("retryWithBackoff() lets shouldRetry and delay have their say with a limiter", async () => {
  const { starts, gaveUp } = await play([refuse(429)], {
    limiter: new RateLimiter(),
    shouldRetry: (_, { number }) => number < 3,
  });
  assertEquals(starts.length, 3);
  assertEquals(gaveUp.map(({ reason }) => reason), ["not-retryable"]);
  const chosen = await play([networkError(), "done"], {
    limiter: new RateLimiter(),
    delay: () => 17,
  });
  assertEquals(chosen.starts, [0, 17]);
});

Deno.test("retryWithBackoff() remembers refusals for rate as attempts", async () => {
  const { value } = await play([...EIGHT.slice(0, 3), refuse(404)], {
    limiter: new RateLimiter(),
  });
  assertEquals(
    attemptsOf(value)?.map(({ failure }) => failure.status),
    [429, 429, 429],
  );
});

// totalTimeout.

Deno.test("retryWithBackoff() throws the last failure at once where the limiter's wait is longer than totalTimeout leaves", async () => {
  const { end, starts, gaveUp, value } = await play(
    [refuse(429, { "retry-after": "30" })],
    { limiter: new RateLimiter(), totalTimeout: 20 },
  );
  assertEquals([end, starts], [0, [0]]);
  assertEquals(gaveUp.map(({ reason }) => reason), ["total-timeout"]);
  assertEquals((value as { status: number }).status, 429);
});

Deno.test("retryWithBackoff() throws RateLimitError at once where its first turn would come too late", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const refused = watch(
      retryWithBackoff(refuse(429, { "retry-after": "30" }), {
        limiter,
        shouldRetry: () => false,
      }),
    );
    await time.runMicrotasks();
    let calls = 0;
    const reasons: string[] = [];
    const late = watch(
      retryWithBackoff(() => calls++, {
        limiter,
        totalTimeout: 29,
        onGiveUp: ({ reason, attempts, failure }) => {
          assertEquals([attempts, failure], [0, undefined]);
          reasons.push(reason);
        },
      }),
    );
    const early = watch(
      retryWithBackoff(() => calls++, { limiter, totalTimeout: 31 }),
    );
    await time.runMicrotasks();
    const error = late.value as RateLimitError;
    assert(error instanceof RateLimitError, String(error));
    assertEquals(error.resumeAt, new Date(NOON + 30_000));
    assertStrictEquals(error.cause, refused.value);
    assert(error.reason.length > 0 && error.message.includes(error.reason));
    assertEquals([calls, reasons, early.state], [0, ["limiter"], "pending"]);
    await finish(time);
    assertEquals([calls, early.state], [1, "fulfilled"]);
  }));

Deno.test("retryWithBackoff() does not wait on in the queue where a refusal makes the wait too long for totalTimeout", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const release = await limiter.acquire();
    let calls = 0;
    const waiting = watch(
      retryWithBackoff(() => calls++, { limiter, totalTimeout: 20 }),
    );
    await runFor(time, 0.5);
    assertEquals(waiting.state, "pending");
    release({ status: 429, headers: { "retry-after": "60" } });
    await time.runMicrotasks();
    assert(waiting.value instanceof RateLimitError, String(waiting.value));
    assertEquals([calls, time.next()], [0, false]);
  }));

// Outages.

Deno.test("retryWithBackoff() waits in the limiter's queue in an outage, not by itself", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const starts: number[] = [];
    const delays: number[] = [];
    const calls = Array.from(
      { length: 8 },
      () =>
        watch(retryWithBackoff(async () => {
          starts.push(now());
          await wait(0.01);
          if (now() < 15) throw networkError();
          return "done";
        }, { limiter, onRetry: ({ delay }) => void delays.push(delay) })),
    );
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    assert(calls.every(({ value }) => value === "done"));
    const during = starts.filter((at) => at > 3 && at < 15);
    assert(during.length <= 6, `${starts}`);
    assert(delays.every((delay) => delay >= 0 && delay <= 33));
  }));

Deno.test("retryWithBackoff() lets a single failure wait by itself, while others go on", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    for (let request = 0; request < 20; request++) {
      limiter.observe({ status: 200 });
    }
    const failing: number[] = [];
    const failed = watch(retryWithBackoff(({ number }) => {
      failing.push(now());
      if (number === 1) throw networkError();
      return "done";
    }, { limiter, config: EXACT }));
    await time.runMicrotasks();
    const other = watch(retryWithBackoff(() => now(), { limiter }));
    await runFor(time, 0.5);
    assertEquals(other.value, 0);
    await runFor(time, 5);
    assertEquals([failed.value, failing], ["done", [0, 1]]);
  }));

Deno.test("retryWithBackoff() counts no attempt where its signal aborts as its turn comes", () =>
  onFakeTime(async (time) => {
    for (const attemptTimeout of [undefined, 5]) {
      const limiter = new RateLimiter({ maxConcurrent: 1 });
      const release = await limiter.acquire();
      const controller = new AbortController();
      let calls = 0;
      const attempts: number[] = [];
      const outcome = watch(retryWithBackoff(() => calls++, {
        limiter,
        attemptTimeout,
        signal: controller.signal,
        onGiveUp: (event) => attempts.push(event.attempts),
      }));
      await time.runMicrotasks();
      release({ status: 200 });
      controller.abort("reason");
      await time.runMicrotasks();
      assertEquals(outcome, { state: "rejected", value: "reason" });
      assertEquals([attempts, calls], [[0], 0]);
      assertEquals([limiter.state.waiting, limiter.state.underWay], [0, 0]);
      assertEquals(time.next(), false);
    }
  }));
