import { assert, assertEquals, assertThrows } from "@std/assert";
import { RateLimiter, type RateLimiterState } from "../rate_limiter.ts";
import { retryWithBackoff } from "../retry.ts";
import { runFor, runUntil, wait } from "../testing/job.ts";
import { networkError, NOON, onFakeTime, watch } from "../testing/play.ts";

/** Everything of a state, so that nothing is forgotten. */
const NEW: RateLimiterState = {
  phase: "learning",
  rate: Infinity,
  inFlight: Infinity,
  waiting: 0,
  underWay: 0,
  resumeAt: undefined,
  reason: undefined,
  limits: [],
  accepted: 0,
  refused: 0,
};

Deno.test("RateLimiter.state tells all of a new limiter, of one with a rate and of one with a window", () =>
  onFakeTime(async (time) => {
    assertEquals(new RateLimiter().state, NEW);
    assertEquals(new RateLimiter({ rate: 10 }).state, {
      ...NEW,
      phase: "flowing",
      rate: 10,
    });
    const { phase } = new RateLimiter({ limit: 10, window: 1 }).state;
    assertEquals(phase, "flowing");
    await time.runMicrotasks();
  }));

Deno.test("RateLimiter.state is a frozen snapshot", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe({ status: 200, headers: { ratelimit: '"a";r=5;t=60' } });
    const { state } = limiter;
    assert(Object.isFrozen(state));
    assert(Object.isFrozen(state.limits));
    assert(state.limits.length === 1 && Object.isFrozen(state.limits[0]));
    assertThrows(() => {
      (state as { waiting: number }).waiting = 5;
    }, TypeError);
    const before = structuredClone(state);
    limiter.observe({ status: 429, headers: { "retry-after": "9" } });
    assertEquals(structuredClone(state), before);
    assert(limiter.state !== state);
    await time.runMicrotasks();
  }));

Deno.test("RateLimiter.state counts who waits, what is under way, accepted and refused", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    const release = await limiter.acquire();
    const others = [1, 2].map(() => watch(limiter.acquire()));
    await time.runMicrotasks();
    const { waiting, underWay } = limiter.state;
    assertEquals([waiting, underWay], [2, 1]);
    release({ status: 200 });
    await time.runMicrotasks();
    assertEquals([limiter.state.waiting, limiter.state.underWay], [0, 2]);
    for (const { value } of others) {
      (value as (answer: unknown) => void)({ status: 429, headers: {} });
    }
    const { accepted, refused } = limiter.state;
    assertEquals([accepted, refused, limiter.state.underWay], [1, 2, 0]);
    // A 404 was let in; the server's own failure is neither.
    const other = new RateLimiter();
    other.observe({ status: 404 });
    other.observe({ status: 503 });
    assertEquals([other.state.accepted, other.state.refused], [1, 0]);
  }));

Deno.test("RateLimiter.state tells until when, and why it is paused", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe({ status: 429, headers: { "retry-after": "30" } });
    const { phase, resumeAt, reason } = limiter.state;
    assertEquals(phase, "paused");
    assertEquals(resumeAt, new Date(NOON + 30_000));
    assertEquals(reason, "refused, the server named the time");
    await runFor(time, 30);
    const probe = await limiter.acquire();
    const waiter = watch(limiter.acquire());
    await time.runMicrotasks();
    assertEquals(limiter.state.phase, "probing");
    assert(limiter.state.resumeAt! > new Date(), "a probe is waited for");
    probe({ status: 200 });
    await runFor(time, 30);
    assertEquals(waiter.state, "fulfilled");
    assertEquals(limiter.state.phase, "flowing");

    const nameless = new RateLimiter();
    nameless.observe({ status: 429 });
    assertEquals(nameless.state.phase, "paused");
    assertEquals(nameless.state.reason, "refused, no time was named");
    assert(nameless.state.resumeAt! > new Date());
  }));

Deno.test("RateLimiter.state tells what the headers said of each limit", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    limiter.observe({
      status: 200,
      headers: {
        ratelimit: '"hour";r=90;t=600, "second";r=0;t=1',
        "ratelimit-policy": '"hour";q=100;w=3600, "second";q=10;w=1',
      },
    });
    const { limits, phase, reason, resumeAt } = limiter.state;
    const [hour, second] = [...limits].sort((a, b) => b.limit - a.limit);
    assertEquals(limits.length, 2);
    assertEquals([hour!.limit, hour!.remaining], [100, 90]);
    assertEquals(hour!.resetAt, new Date(NOON + 600_000));
    assertEquals([second!.limit, second!.remaining], [10, 0]);
    assertEquals(second!.resetAt, new Date(NOON + 1000));
    assert(hour!.id !== second!.id);
    assertEquals(phase, "paused");
    assertEquals(reason, "the headers say that nothing is left");
    assertEquals(resumeAt, new Date(NOON + 1000));
    await time.runMicrotasks();
  }));

Deno.test("RateLimiter.state tells of an outage", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    let up = false;
    const calls = Array.from(
      { length: 8 },
      () =>
        watch(retryWithBackoff(async () => {
          await wait(0.01);
          if (!up) throw networkError();
          return "done";
        }, { limiter })),
    );
    await runUntil(time, () => limiter.state.phase === "outage");
    const { phase, reason } = limiter.state;
    assertEquals([phase, reason], ["outage", "the server is down"]);
    await runFor(time, 0.2);
    assert(limiter.state.resumeAt! > new Date());
    up = true;
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    assert(calls.every(({ value }) => value === "done"));
    assert(limiter.state.phase !== "outage");
    assertEquals(limiter.state.reason, undefined);
  }));
