/**
 * What nobody handled while something ran: rejections and errors that test
 * runners take for failures.
 *
 * @module
 */

import { setImmediate as immediate } from "node:timers";
import process from "node:process";

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;

/** Runs `body` and returns what went unhandled, which no runner hears of. */
export async function unhandledIn(
  body: () => Promise<void>,
): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listen = (error: unknown) => void unhandled.push(error);
  const runners = EVENTS.map((event) =>
    [event, process.listeners(event as "unhandledRejection")] as const
  );
  for (const event of EVENTS) {
    process.removeAllListeners(event);
    process.on(event, listen);
  }
  try {
    await body();
    // Rejections are told once the microtasks are over.
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => void immediate(resolve));
    }
  } finally {
    for (const [event, listeners] of runners) {
      process.off(event, listen);
      for (const listener of listeners) process.on(event, listener);
    }
  }
  return unhandled;
}
