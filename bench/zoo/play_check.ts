/**
 * Tests of the zoo itself: its clock, and that a seed is a seed.
 * Not named as tests are, so that benches do not count as covered code; `deno task ok:zoo` runs them.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, ok as assert } from "node:assert";
import { VirtualClock } from "./clock.ts";
import { draw } from "./draw.ts";
import { play } from "./play.ts";
import { stream } from "./random.ts";

Deno.test("the zoo's clock lets every promise settle before the next event", async () => {
  const clock = new VirtualClock(0, stream(1));
  const restore = clock.install(stream(2));
  const log: string[] = [];
  try {
    const chain = async (name: string) => {
      for (let i = 0; i < 500; i++) await null;
      log.push(`${name} at ${Date.now()}`);
    };
    setTimeout(() => void chain("first"), 10);
    setTimeout(() => void chain("second"), 12);
    const cancelled = setTimeout(() => log.push("cancelled"), 11);
    clearTimeout(cancelled);
    assertEquals(await clock.run(() => false, () => {}), false);
  } finally {
    restore();
  }
  assertEquals(log.length, 2);
  assert(/^first at 1[01]$/.test(log[0]!), log[0]);
  assert(/^second at 1[23]$/.test(log[1]!), log[1]);
});

Deno.test("the zoo plays a seed twice in the same way, and puts everything back", async () => {
  const before = [Date, setTimeout, clearTimeout, fetch, Math.random];
  for (const seed of [1, 18, 33]) {
    const once = await play(draw(seed), { client: "product", told: false });
    const twice = await play(draw(seed), { client: "product", told: false });
    assertEquals(once, twice);
  }
  assertEquals([Date, setTimeout, clearTimeout, fetch, Math.random], before);
});

Deno.test("who knows all comes near the best time of the zoo", async () => {
  const ratios: number[] = [];
  for (let seed = 1; seed <= 15; seed++) {
    const scene = draw(seed);
    const outcome = await play(scene, { client: "oracle", told: false });
    assertEquals(outcome.lost, 0);
    ratios.push(outcome.ratio);
  }
  const median = ratios.sort((a, b) => a - b)[7]!;
  assert(median > 0.97 && median < 1.05, String(median));
});
