import { assert, assertEquals } from "@std/assert";
import {
  type LimiterEvent,
  RateLimiter,
  type RateLimiterOptions,
} from "../rate_limiter.ts";
import { retryWithBackoff } from "../retry.ts";
import { now, runFor, runUntil, settle, wait } from "../testing/job.ts";
import {
  finish,
  networkError,
  NOON,
  onFakeTime,
  refuse,
  watch,
} from "../testing/play.ts";
import { unhandledIn } from "../testing/unhandled.ts";

type Of<Type> = Extract<LimiterEvent, { readonly type: Type }>;

/** A limiter, and what it tells. */
function listened(options: RateLimiterOptions = {}) {
  const events: LimiterEvent[] = [];
  const onEvent = (event: LimiterEvent) => events.push(event);
  const limiter = new RateLimiter({ ...options, onEvent });
  const types = () => events.map(({ type }) => type);
  const of = <Type extends LimiterEvent["type"]>(type: Type) =>
    events.filter((event): event is Of<Type> => event.type === type);
  return { limiter, types, of };
}

Deno.test("RateLimiter tells of a pause and of its end, to which as many wait", () =>
  onFakeTime(async (time) => {
    const { limiter, of } = listened();
    limiter.observe({ status: 429, headers: { "retry-after": "5" } });
    const calls = [1, 2, 3].map(() =>
      watch(retryWithBackoff(() => "done", { limiter }))
    );
    await runFor(time, 60);
    assertEquals(calls.map(({ value }) => value), ["done", "done", "done"]);
    const [paused, ...more] = of("paused");
    assertEquals(more, []);
    assertEquals(paused!.seconds, 5);
    assertEquals(paused!.resumeAt, new Date(NOON + 5000));
    assert(paused!.waiting >= 1);
    assertEquals(paused!.reason, "refused, the server named the time");
    const [resumed, ...others] = of("resumed");
    assertEquals(others, []);
    const { seconds, rate } = resumed!;
    assert(seconds >= 5 && seconds < 6, `${seconds}`);
    assert(rate > 0);
  }));

Deno.test("RateLimiter tells of a pause that the headers of an accepted request make", () =>
  onFakeTime(async (time) => {
    const { limiter, types, of } = listened();
    limiter.observe({
      status: 200,
      headers: {
        "x-ratelimit-limit": "10",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "30",
      },
    });
    const call = watch(retryWithBackoff(() => "done", { limiter }));
    await runFor(time, 60);
    assertEquals(call.value, "done");
    assertEquals(
      types().filter((type) => type !== "learned"),
      ["paused", "resumed"],
    );
    const [paused] = of("paused");
    assertEquals(
      [paused!.seconds, paused!.reason],
      [30, "the headers say that nothing is left"],
    );
  }));

Deno.test("RateLimiter tells of an outage, and of its end", () =>
  onFakeTime(async (time) => {
    const { limiter, types, of } = listened();
    const calls = Array.from(
      { length: 8 },
      () =>
        watch(retryWithBackoff(async () => {
          await wait(0.01);
          if (now() < 20) throw networkError();
          return "done";
        }, { limiter })),
    );
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    assertEquals(calls.map(({ value }) => value), Array(8).fill("done"));
    const [outage, ...more] = of("outage");
    assertEquals(more, [], types().join());
    const { seconds, failures, waiting } = outage!;
    assert(seconds >= 0.9 && seconds <= 1.2, `${seconds}`);
    assert(failures >= 3, `${failures}`);
    assert(waiting >= 0 && waiting < 8);
    assert(types().indexOf("resumed") > types().indexOf("outage"));
  }));

Deno.test("RateLimiter tells what it learns: the rate, and how many at once", () =>
  onFakeTime(async (time) => {
    const { limiter, of } = listened();
    let request = 0;
    const call = async () => {
      await retryWithBackoff(async () => {
        const refused = request++ % 40 === 39;
        await wait(0.02);
        return refused ? refuse(429, { "retry-after": "1" })() : "done";
      }, { limiter });
    };
    const calls = Array.from({ length: 100 }, () => watch(call()));
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    const learned = of("learned");
    for (const { rate, inFlight } of learned) {
      assert(rate > 0 && inFlight >= 1);
    }
    const { rate, inFlight } = limiter.state;
    assertEquals(learned.at(-1), { type: "learned", rate, inFlight });
  }));

Deno.test("RateLimiter tells nothing where nothing happens", () =>
  onFakeTime(async (time) => {
    const { limiter, types } = listened();
    const calls = Array.from(
      { length: 50 },
      () =>
        watch(retryWithBackoff(async () => {
          await wait(0.05);
          return new Response();
        }, { limiter })),
    );
    await finish(time);
    assert(calls.every(({ state }) => state === "fulfilled"));
    assertEquals(types(), []);
  }));

Deno.test("RateLimiter goes on whatever onEvent throws, which is reported as uncaught", async () => {
  const onEvents: (() => unknown)[] = [
    () => {
      throw "a bug in the log";
    },
    () => Promise.reject("a bug in the log"),
  ];
  for (const onEvent of onEvents) {
    const unhandled = await unhandledIn(() =>
      onFakeTime(async (time) => {
        const limiter = new RateLimiter({ onEvent });
        limiter.observe({ status: 429, headers: { "retry-after": "2" } });
        const call = watch(retryWithBackoff(() => "done", { limiter }));
        await runFor(time, 5);
        assertEquals(call.value, "done");
        assertEquals(limiter.state.waiting, 0);
      })
    );
    assert(unhandled.length > 0);
    assert(unhandled.every((error) => error === "a bug in the log"));
  }
});

Deno.test("RateLimiter bears an onEvent that looks at it, waits, and aborts", () =>
  onFakeTime(async (time) => {
    for (const does of ["state", "acquire", "observe", "abort"]) {
      const controller = new AbortController();
      const extra: unknown[] = [];
      let told = 0;
      const limiter = new RateLimiter({
        onEvent: () => {
          if (told++ > 3) return;
          if (does === "state") extra.push(limiter.state);
          if (does === "acquire") {
            limiter.acquire().then((release) => release({ status: 200 }));
          }
          if (does === "observe") limiter.observe({ status: 200 });
          if (does === "abort") controller.abort("reason");
        },
      });
      limiter.observe({ status: 429, headers: { "retry-after": "2" } });
      const calls = [1, 2].map(() =>
        watch(retryWithBackoff(() => "done", {
          limiter,
          signal: controller.signal,
        }))
      );
      await settle();
      if (does === "abort") {
        assertEquals(time.next(), false, `a timer is left: ${does}`);
        assert(calls.every(({ state }) => state === "rejected"));
      } else {
        await runFor(time, 100);
        assert(calls.every(({ value }) => value === "done"), does);
        assertEquals(time.next(), false, `a timer is left: ${does}`);
      }
      assertEquals([limiter.state.waiting, limiter.state.underWay], [0, 0]);
    }
  }));

Deno.test("RateLimiter tells of turns that nobody gives back, once, and of the end of that", () =>
  onFakeTime(async (time) => {
    const { limiter, of } = listened({ maxConcurrent: 2 });
    const [first] = await Promise.all([limiter.acquire(), limiter.acquire()]);
    await runFor(time, 100);
    assertEquals(of("paused"), [], "nobody waits");
    const waiter = watch(limiter.acquire());
    await runFor(time, 100);
    assertEquals(of("paused"), [{
      type: "paused",
      seconds: Infinity,
      resumeAt: undefined,
      reason: "maxConcurrent turns are taken and none is given back",
      waiting: 1,
    }]);
    assertEquals([waiter.state, of("resumed").length], ["pending", 0]);
    first({ status: 200 });
    await settle();
    assertEquals([waiter.state, of("resumed").length], ["fulfilled", 1]);
    assertEquals(time.next(), false);
  }));

Deno.test("RateLimiter does not take a job that goes on for turns that nobody gives back", () =>
  onFakeTime(async (time) => {
    const { limiter, types } = listened({ maxConcurrent: 2 });
    const calls = Array.from(
      { length: 40 },
      () => watch(retryWithBackoff(() => wait(20), { limiter })),
    );
    await runUntil(time, () => calls.every(({ state }) => state !== "pending"));
    assertEquals(now(), 400);
    assertEquals(types(), []);
  }));
