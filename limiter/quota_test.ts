import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readLimits } from "../http/dialects.ts";
import { isCoarse, readQuotas } from "./quota.ts";

/** Noon on a day in 2026, in seconds. */
const NOON = Date.UTC(2026, 10, 23, 12) / 1000;

Deno.test("readQuotas() finds the end of a window that its first request opened, whether the answer has a Date or not", () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 998 }).map((milliseconds) =>
        milliseconds / 1000
      ),
      fc.boolean(),
      (window, phase, dated) => {
        const opened = NOON + phase;
        const headers = new Headers({
          "x-ratelimit-limit": "400",
          "x-ratelimit-remaining": "399",
          "x-ratelimit-reset": `${Math.ceil(opened + window)}`,
        });
        if (dated) {
          headers.set("date", new Date(NOON * 1000).toUTCString());
        }
        const now = opened + 0.001;
        const [quota] = readQuotas(
          [],
          readLimits(headers, now * 1000),
          { number: 1, at: opened, inFlight: 1, paced: false },
          { now, sent: 1, sentAt: opened, accepted: 0, inFlight: 0 },
          false,
        );
        // The full minute is when many other windows end: such are not guessed.
        if (Math.ceil(opened + window) % 60 === 0) return;
        const { resetAt } = quota!;
        assert(resetAt! >= opened + window - 1e-3, `${resetAt! - opened}`);
        assert(resetAt! <= opened + window + 2e-3, `${resetAt! - opened}`);
        assertEquals(quota!.guessed, true);
      },
    ),
  ));

Deno.test("isCoarse() says no of a window that has just opened and told its length", () => {
  const quotaAfter = (remaining: number) => {
    const headers = new Headers({
      "ratelimit": `"default";r=${remaining};t=2`,
      "ratelimit-policy": '"default";q=400;w=2',
    });
    const permit = { number: 1, at: NOON, inFlight: 1, paced: false };
    const situation = {
      now: NOON,
      sent: 1,
      sentAt: NOON,
      accepted: 0,
      inFlight: 0,
    };
    return readQuotas(
      [],
      readLimits(headers, NOON * 1000),
      permit,
      situation,
      false,
    )[0]!;
  };
  assertEquals(isCoarse(quotaAfter(399)), false);
  assertEquals(isCoarse(quotaAfter(300)), true);
});
