import { assert, assertEquals } from "@std/assert";
import { countListeners } from "../testing/play.ts";
import { AnySignal, isSignal } from "./any_signal.ts";

Deno.test("AnySignal aborts with the first of its signals, and lets go of all", () => {
  for (const first of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    const signals = controllers.map(({ signal }) => signal);
    const listeners = signals.map(countListeners);
    const either = new AnySignal(signals);
    controllers[first]!.abort(null);
    controllers[1 - first]!.abort("late");
    assertEquals([either.signal.aborted, either.signal.reason], [true, null]);
    assertEquals(listeners, [
      { added: 1, removed: 1 },
      { added: 1, removed: 1 },
    ]);
  }
});

Deno.test("AnySignal has aborted where one of its signals has, and lets go of the others", () => {
  const { signal } = new AbortController();
  const listeners = countListeners(signal);
  const either = new AnySignal([signal, AbortSignal.abort("gone")]);
  assertEquals(either.signal.reason, "gone");
  assertEquals(listeners.added, listeners.removed);
  const other = new AnySignal([AbortSignal.abort("gone"), signal]);
  assertEquals(other.signal.reason, "gone");
  assertEquals(listeners.added, listeners.removed);
});

Deno.test("AnySignal.leave() lets go for good", () => {
  const controller = new AbortController();
  const either = new AnySignal([controller.signal]);
  either.leave();
  controller.abort();
  assert(!either.signal.aborted);
});

Deno.test("AnySignal.leaveWith() goes on for a body, not without one", () => {
  const body = new ReadableStream();
  for (const [held, aborted] of [[body, true], [null, false]] as const) {
    const controller = new AbortController();
    const either = new AnySignal([controller.signal]);
    either.leaveWith(held);
    controller.abort("reason");
    assertEquals(either.signal.aborted, aborted);
  }
});

Deno.test("AnySignal.leaveWith() lets go of a signal that has aborted, also for a body", () => {
  const controllers = [new AbortController(), new AbortController()];
  const listeners = controllers.map(({ signal }) => countListeners(signal));
  const either = new AnySignal(controllers.map(({ signal }) => signal));
  controllers[0]!.abort();
  either.leaveWith(new ReadableStream());
  assertEquals(listeners[1], { added: 1, removed: 1 });
});

Deno.test("isSignal() takes what works as a signal does", () => {
  const { signal } = new AbortController();
  assert(isSignal(signal));
  assert(isSignal({ aborted: false, addEventListener() {} }));
  for (const none of [undefined, null, "signal", {}, new AbortController()]) {
    assert(!isSignal(none));
  }
  assert(!isSignal(new EventTarget()));
  assert(!isSignal({ aborted: false }));
});
