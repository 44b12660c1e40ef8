import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Deadline } from "./deadline.ts";
import {
  countListeners,
  finish,
  onFakeTime,
  pass,
  watch,
} from "../testing/play.ts";

const never = () => new Promise<never>(() => {});

Deno.test("Deadline.race() settles as the work does, and lets go", () =>
  onFakeTime(async (time) => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const error = new Error("no");
    assertEquals(await new Deadline(signal, 5).race(() => "sync"), "sync");
    assertEquals(
      await new Deadline(signal, 5).race(() => Promise.resolve(1)),
      1,
    );
    const outcomes = [
      watch(new Deadline(signal, 5).race(() => Promise.reject(error))),
      watch(new Deadline(signal, 5).race(() => {
        throw error;
      })),
    ];
    await time.runMicrotasks();
    for (const outcome of outcomes) {
      assertEquals(outcome.state, "rejected");
      assertStrictEquals(outcome.value, error);
    }
    assertEquals(listeners.added, listeners.removed);
    assertEquals(time.next(), false);
  }));

Deno.test("Deadline.race() rejects with a TimeoutError when the time is up", () =>
  onFakeTime(async (time) => {
    const deadline = new Deadline(undefined, 5, "attemptTimeout");
    const outcome = watch(deadline.race(never));
    await pass(time, 4.999);
    assertEquals(outcome.state, "pending");
    await pass(time, 0.001);
    assertEquals(outcome.state, "rejected");
    const error = outcome.value as DOMException;
    assertEquals(error.name, "TimeoutError");
    assertEquals(error.message, "Gave up as 'attemptTimeout' of 5 s ran out");
    assertStrictEquals(deadline.signal.reason, error);
  }));

Deno.test("Deadline.race() keeps a value that is in time to itself", () =>
  onFakeTime(async () => {
    const late: unknown[] = [];
    const deadline = new Deadline(new AbortController().signal, 5);
    const value = await deadline.race(
      () => "here",
      (value) => late.push(value),
    );
    assertEquals([value, late], ["here", []]);
  }));

Deno.test("Deadline does not follow its parent before it matters, nor after it closed", () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const deadline = new Deadline(signal);
  assertEquals(listeners.added, 0);
  deadline.close();
  assertEquals(deadline.signal.aborted, false);
  assertEquals(listeners, { added: 0, removed: 0 });
});

Deno.test("Deadline.race() hands a late value over, and ignores a late rejection", () =>
  onFakeTime(async (time) => {
    const late: unknown[] = [];
    const works = [
      new Promise((resolve) => setTimeout(() => resolve("late"), 2000)),
      new Promise((_, reject) => setTimeout(() => reject("late"), 2000)),
    ];
    const outcomes = works.map((work) => {
      const deadline = new Deadline(undefined, 1);
      return watch(deadline.race(() => work, (value) => late.push(value)));
    });
    await pass(time, 1);
    assertEquals(outcomes.map(({ state }) => state), ["rejected", "rejected"]);
    await pass(time, 1);
    assertEquals(late, ["late"]);
  }));

Deno.test("Deadline follows its parent, whatever the reason", () => {
  const controller = new AbortController();
  const deadline = new Deadline(controller.signal, 5);
  const early = deadline.signal;
  controller.abort(null);
  assertEquals(early.aborted, true);
  assertEquals(early.reason, null);
  deadline.close();
});

Deno.test("Deadline does no work for a parent that has aborted", async () => {
  let called = false;
  const deadline = new Deadline(AbortSignal.abort("gone"), 5);
  const outcome = watch(deadline.race(() => {
    called = true;
  }));
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  await Promise.resolve();
  assertEquals(outcome, { state: "rejected", value: "gone" });
  assert(!called);
  assertEquals(deadline.signal.reason, "gone");
});

Deno.test("Deadline keeps its first reason", () => {
  const deadline = new Deadline();
  deadline.abort("first");
  deadline.abort("second");
  assertEquals(deadline.signal.reason, "first");
});

Deno.test("Deadline.signal never aborts after close()", () =>
  onFakeTime(async (time) => {
    const controller = new AbortController();
    const deadline = new Deadline(controller.signal, 5);
    const { signal } = deadline;
    deadline.close();
    controller.abort();
    await finish(time);
    assertEquals(signal.aborted, false);
  }));
