/**
 * Tests of the zoo itself: its limits refuse what counting by hand refuses.
 * Not named as tests are, so that benches do not count as covered code; `deno task ok:zoo` runs them.
 *
 * @module
 */

import { deepStrictEqual as assertEquals, ok as assert } from "node:assert";
import { best } from "./best.ts";
import { draw, drawFamily } from "./draw.ts";
import {
  Both,
  Bucket,
  Concurrency,
  type Limit,
  Lumps,
  SlidingCounter,
  SlidingLog,
  WindowFromFirstHit,
  WindowOnTheClock,
} from "./limits.ts";
import { stream, uniform } from "./random.ts";

/** Whether a request passes, as one would count who remembers all of them. */
type Count = (now: number, accepted: number[], all: number[]) => boolean;

const within = (instants: number[], from: number, to: number) =>
  instants.filter((at) => at > from && at <= to).length;

function weighted(now: number, instants: number[]): boolean {
  const window = 2;
  const begin = Math.floor((now + 0.7) / window) * window - 0.7;
  const left = (begin + window - now) / window;
  const current = instants.filter((at) => at >= begin).length;
  const last = instants.filter((at) => at >= begin - window && at < begin);
  return current + last.length * left + 1 <= 9;
}

const LIMITS: Record<string, { make: () => Limit; passes: Count }> = {
  "sliding log": {
    make: () => new SlidingLog(7, 2),
    passes: (now, accepted) => within(accepted, now - 2, now) < 7,
  },
  "log that counts refused ones": {
    make: () => new SlidingLog(7, 2, true),
    passes: (now, _, all) => within(all, now - 2, now) < 7,
  },
  "sliding counter": {
    make: () => new SlidingCounter(9, 2, -0.7),
    passes: (now, accepted) => weighted(now, accepted),
  },
  "counter that counts refused ones": {
    make: () => new SlidingCounter(9, 2, -0.7, true),
    passes: (now, _, all) => weighted(now, all),
  },
  "window on the clock": {
    make: () => new WindowOnTheClock(7, 2, -0.7),
    passes: (now, accepted) => {
      const begin = Math.floor((now + 0.7) / 2) * 2 - 0.7;
      return accepted.filter((at) => at >= begin).length < 7;
    },
  },
  "window from the first hit": {
    make: () => new WindowFromFirstHit(7, 2),
    passes: (now, accepted) => {
      let begin = -Infinity;
      let used = 0;
      for (const at of accepted) {
        if (at >= begin + 2) [begin, used] = [at, 0];
        used++;
      }
      return now >= begin + 2 || used < 7;
    },
  },
  "bucket": {
    make: () => new Bucket(4, 3),
    passes: (now, accepted) => {
      let tokens = 3;
      let last = 0;
      for (const at of accepted) {
        tokens = Math.min(3, tokens + (at - last) * 4) - 1;
        last = at;
      }
      return tokens + (now - last) * 4 >= 1;
    },
  },
  "lumps": {
    make: () => new Lumps(4, 6, 2),
    passes: (now, accepted) => {
      let tokens = 6;
      let lumps = 0;
      const fill = (at: number) => {
        tokens = Math.min(6, tokens + 2 * (Math.floor(at / 0.5) - lumps));
        lumps = Math.floor(at / 0.5);
      };
      for (const at of accepted) {
        fill(at);
        tokens--;
      }
      fill(now);
      return tokens >= 1;
    },
  },
  "requests at once": {
    make: () => new Concurrency(3),
    passes: (now, accepted) => within(accepted, now - 0.5, now) < 3,
  },
  "bucket and log": {
    make: () => {
      const log = new SlidingLog(7, 2);
      return new Both([new SlidingLog(3, 0.5), log], log);
    },
    passes: (now, accepted) =>
      within(accepted, now - 0.5, now) < 3 &&
      within(accepted, now - 2, now) < 7,
  },
};

for (const [name, { make, passes }] of Object.entries(LIMITS)) {
  Deno.test(`a limit of the zoo refuses what it should: ${name}`, () => {
    const random = stream(1);
    const limit = make();
    const accepted: number[] = [];
    const all: number[] = [];
    for (let now = 0, i = 0; i < 2000; i++) {
      now += i % 50 === 0 ? uniform(random, 0, 5) : uniform(random, 0, 0.3);
      const free = limit.free(now);
      assertEquals(free <= now, passes(now, accepted, all), `at ${now}`);
      if (free > now) {
        assert(limit.free(free) === free, "free when it says");
        assert(limit.free(free - 1e-6) > free - 1e-6, "not before");
        limit.refuse(now);
      } else {
        limit.accept(now, 0.5);
        accepted.push(now);
      }
      all.push(now);
    }
    assert(accepted.length > 500 || name.includes("counts refused"));
    assert(accepted.length < all.length);
  });
}

Deno.test("a scene of the zoo is within the ranges, and its best plan passes", () => {
  for (let seed = 1; seed <= 150; seed++) {
    const scene = draw(seed);
    assertEquals(scene.family, drawFamily(seed));
    assert(scene.best >= 3 && scene.best < 400, `best of ${seed}`);
    assert(scene.workers >= 1 && scene.workers <= 512);
    assert(scene.items >= 1 && scene.items <= 8000);
    if (scene.outage) assert(scene.best > scene.outage.end);
    const { items, makespan } = best(scene);
    assertEquals([items, makespan], [scene.items, scene.best]);
    const fewer = best({ ...scene, items: Math.ceil(scene.items / 2) });
    assert(fewer.makespan <= scene.best);
  }
});
