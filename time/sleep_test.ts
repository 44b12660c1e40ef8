import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { spy } from "@std/testing/mock";
import { Deadline } from "./deadline.ts";
import { offAbort, onAbort, sleep } from "./sleep.ts";
import {
  countListeners,
  finish,
  onFakeTime,
  pass,
  watch,
  withClockOff,
} from "../testing/play.ts";

const never = () => new Promise<never>(() => {});

Deno.test("sleep() resolves after its seconds, not earlier", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(1.5));
    await pass(time, 1.499);
    assertEquals(slept.state, "pending");
    await pass(time, 0.001);
    assertEquals(slept.state, "fulfilled");
  }));

Deno.test("sleep() rounds up to the millisecond, but not for a rounding error", () =>
  onFakeTime(async (time) => {
    for (
      const [seconds, milliseconds] of [[0.0001, 1], [1.0001, 1001], [
        16.1,
        16100,
      ], [0.3, 300]] as const
    ) {
      const start = Date.now();
      const slept = sleep(seconds);
      await finish(time);
      await slept;
      assertEquals(Date.now() - start, milliseconds);
    }
  }));

Deno.test("sleep() takes a turn of the event loop even for 0 s", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(0));
    await time.runMicrotasks();
    assertEquals(slept.state, "pending");
    await pass(time, 0);
    assertEquals(slept.state, "fulfilled");
  }));

Deno.test("sleep() sleeps longer than the longest timer", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(4294966));
    await pass(time, 2147484);
    await pass(time, 2147481.999);
    assertEquals(slept.state, "pending");
    await pass(time, 0.001);
    assertEquals(slept.state, "fulfilled");
  }));

Deno.test("sleep() sets no timer that runtimes would fire at once", () =>
  onFakeTime(async (time) => {
    const timers = spy(globalThis, "setTimeout");
    const slept = sleep(4294966);
    while (time.next());
    timers.restore();
    await slept;
    const longest = 2 ** 31 - 1;
    const lengths = timers.calls.map(({ args }: { args: unknown[] }) =>
      args[1]
    );
    assertEquals(lengths, [longest, 4294966000 - longest]);
  }));

Deno.test("sleep() relies on no third argument of setTimeout, which mocks forget", async () => {
  const real = globalThis.setTimeout;
  globalThis.setTimeout =
    ((wake: () => void) => real(wake, 0)) as typeof setTimeout;
  try {
    await sleep(3600);
    await sleep(3600, new AbortController().signal);
    await assertRejects(() => new Deadline(undefined, 3600).race(never));
  } finally {
    globalThis.setTimeout = real;
  }
});

Deno.test("sleep() goes on where a timer fired a millisecond early", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(1));
    withClockOff(-0.001, () => time.tick(1000));
    await time.runMicrotasks();
    assertEquals(slept.state, "pending");
    await pass(time, 0.001);
    assertEquals(slept.state, "fulfilled");
  }));

Deno.test("sleep() is not frozen by a clock that was set back", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(1));
    withClockOff(-3600, () => time.tick(1000));
    await time.runMicrotasks();
    assertEquals(slept.state, "fulfilled");
  }));

Deno.test("sleep() rejects with the reason as soon as the signal aborts", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const listeners = countListeners(controller.signal);
    const slept = watch(sleep(10, controller.signal));
    await pass(time, 1);
    controller.abort("reason");
    await time.runMicrotasks();
    assertEquals(slept, { state: "rejected", value: "reason" });
    assertEquals(time.next(), false);
    assertEquals(listeners, { added: 1, removed: 1 });
  }));

Deno.test("sleep() rejects at once on an aborted signal", () =>
  onFakeTime(async (time) => {
    const slept = watch(sleep(10, AbortSignal.abort(null)));
    await time.runMicrotasks();
    assertEquals(slept, { state: "rejected", value: null });
    assertEquals(time.next(), false);
  }));

Deno.test("sleep() leaves no listener behind", () =>
  onFakeTime(async (time) => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const slept = sleep(1, signal);
    await finish(time);
    await slept;
    assertEquals(listeners, { added: 1, removed: 1 });
  }));

Deno.test("onAbort() has one listener however many wait, and takes it back with the last", () => {
  const controller = new AbortController();
  const listeners = countListeners(controller.signal);
  const told: number[] = [];
  const waiters = [1, 2, 3].map((id) => ({ abort: () => void told.push(id) }));
  for (const waiter of waiters) onAbort(controller.signal, waiter);
  assertEquals(listeners, { added: 1, removed: 0 });
  offAbort(controller.signal, waiters[1]!);
  offAbort(controller.signal, waiters[1]!);
  controller.abort();
  assertEquals(told, [1, 3]);
  assertEquals(listeners, { added: 1, removed: 1 });
});

Deno.test("onAbort() tells the reason, and takes a waiter that leaves meanwhile at its word", () => {
  const controller = new AbortController();
  const reasons: unknown[] = [];
  const last = { abort: (reason: unknown) => void reasons.push(reason) };
  const first = {
    abort(reason: unknown) {
      reasons.push(reason);
      offAbort(controller.signal, last);
    },
  };
  onAbort(controller.signal, first);
  onAbort(controller.signal, last);
  const reason = { any: "value" };
  controller.abort(reason);
  assertEquals(reasons.length, 1);
  assertStrictEquals(reasons[0], reason);
});

Deno.test("offAbort() does nothing for a signal that nobody waits on", () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  offAbort(signal, { abort() {} });
  assertEquals(listeners, { added: 0, removed: 0 });
});
