import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SlidingLog } from "./sliding_log.ts";

/** Noon on a day in 2026, in seconds: where floats are exact to 0.2 µs. */
const NOON = Date.UTC(2026, 10, 23, 12) / 1000;

Deno.test("SlidingLog lets no more than its limit go in any window, and nobody wait for longer", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.constantFrom(0.001, 0.1, 1, 7.3, 3600),
      fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { maxLength: 60 }),
      (limit, window, pauses) => {
        const log = new SlidingLog(limit, window);
        const went: number[] = [];
        let at = NOON;
        for (const pause of pauses) {
          at += pause * window;
          const wait = log.wait(at);
          assert(wait >= 0 && wait <= window + 1e-6, `${wait}`);
          at += wait;
          assertEquals(log.wait(at), 0, "a wait that is over is none");
          log.add(at);
          went.push(at);
        }
        for (const [index, last] of went.slice(limit).entries()) {
          assert(last - went[index]! >= window - 1e-5);
        }
      },
    ),
    { numRuns: 2000 },
  ));

Deno.test("SlidingLog takes its past along when the clock is set", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(
        fc.tuple(
          fc.double({ min: 0, max: 2, noNaN: true }),
          fc.constantFrom(0, 0, -0.5, -3600, 3600),
        ),
        { maxLength: 40 },
      ),
      (limit, steps) => {
        const log = new SlidingLog(limit, 1);
        /** In seconds that passed, and what the clock is ahead of them. */
        let at = 0;
        let ahead = 0;
        let went: number[] = [];
        for (const [pause, jump] of steps) {
          at += pause;
          log.wait(NOON + at + ahead);
          ahead += jump;
          // Nobody can tell that from time that passed.
          if (jump > 0) went = [];
          const wait = log.wait(NOON + at + ahead);
          assert(wait <= 1 + 1e-6, `${wait}`);
          at += wait;
          assertEquals(log.wait(NOON + at + ahead), 0);
          log.add(NOON + at + ahead);
          went.push(at);
        }
        for (const [index, last] of went.slice(limit).entries()) {
          assert(last - went[index]! >= 1 - 1e-5, `${went}`);
        }
      },
    ),
    { numRuns: 2000 },
  ));
