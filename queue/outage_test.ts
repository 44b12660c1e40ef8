import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createFetch } from "../fetch.ts";
import { RateLimiter } from "../rate_limiter.ts";
import { DEFAULT_RETRY, retryWithBackoff } from "../retry.ts";
import { now, runUntil, wait } from "../testing/job.ts";
import {
  networkError,
  onFakeTime,
  play,
  refuse,
  watch,
} from "../testing/play.ts";

// A server that is down for a minute: nobody's item is lost to that.

/** Seconds after the start at which the server goes down, and is up again. */
const DOWN_AT = 3;
const UP_AT = DOWN_AT + 60;

/** What a request gets meanwhile, and in which way. */
interface Outage {
  readonly fail: () => Promise<Response>;
  readonly attemptTimeout?: number;
  readonly throughFetch?: boolean;
  /** Seconds that it takes to find out. */
  readonly takes: number;
}

const OUTAGES: Record<string, Outage> = {
  "refused connections": {
    takes: 0.01,
    fail: async () => {
      await wait(0.01);
      throw networkError("ECONNREFUSED");
    },
  },
  "a bare 503": {
    takes: 0.03,
    fail: async () => {
      await wait(0.03);
      return new Response(null, { status: 503 });
    },
  },
  "a bare 504": {
    takes: 2,
    fail: async () => {
      await wait(2);
      return new Response(null, { status: 504 });
    },
  },
  "timeouts": {
    takes: 5,
    attemptTimeout: 5,
    fail: () => new Promise(() => {}),
  },
  "a 502 through createFetch()": {
    takes: 0.03,
    throughFetch: true,
    fail: async () => {
      await wait(0.03);
      return new Response(null, { status: 502 });
    },
  },
  "refused connections through createFetch()": {
    takes: 0.01,
    throughFetch: true,
    fail: async () => {
      await wait(0.01);
      throw networkError("ECONNREFUSED");
    },
  },
};

/** What came of it. */
interface Survived {
  lost: unknown[];
  /** Seconds at which requests went. */
  sent: number[];
  done: number;
  /** Seconds at which the last item was done. */
  end: number;
  /** Seconds at which the limiter saw the outage. */
  seenAt: number;
}

/** A job of so many workers that the server fails in the middle of. */
function live(
  { fail, attemptTimeout, throughFetch }: Outage,
  workers: number,
  items: number,
  { seed = 0.5, downAt = DOWN_AT, upAt = UP_AT } = {},
): Promise<Survived> {
  const survived: Survived = {
    lost: [],
    sent: [],
    done: 0,
    end: 0,
    seenAt: Infinity,
  };
  const { random } = Math;
  return onFakeTime(async (time) => {
    Math.random = () => seed;
    const limiter = new RateLimiter({
      onEvent: ({ type }) => {
        if (type === "outage") {
          survived.seenAt = Math.min(survived.seenAt, now());
        }
      },
    });
    const request = async () => {
      const at = now();
      survived.sent.push(at);
      if (at >= downAt && at < upAt) return await fail();
      await wait(0.04);
      return new Response("ok");
    };
    const fetch = createFetch({
      fetch: request,
      limiter,
      ...attemptTimeout && { attemptTimeout },
    });
    const call = throughFetch
      ? async () => {
        const response = await fetch("https://a.example/");
        if (!response.ok) throw new Error(`${response.status}`);
      }
      : () =>
        retryWithBackoff(request, {
          config: DEFAULT_RETRY,
          limiter,
          attemptTimeout,
        });
    let taken = 0;
    let working = workers;
    const worker = async () => {
      // The job goes on until the outage is over, lest few are left in it.
      while (taken++ < items || now() < upAt) {
        try {
          await call();
          survived.done++;
        } catch (error) {
          survived.lost.push(error);
        }
        survived.end = now();
      }
      working--;
    };
    for (let id = 0; id < workers; id++) void worker();
    await runUntil(time, () => working === 0);
    assertEquals(time.next(), false, "a timer is left");
  }).then(() => survived).finally(() => {
    Math.random = random;
  });
}

for (const [name, outage] of Object.entries(OUTAGES)) {
  Deno.test(`RateLimiter loses nothing to a minute of ${name}, with 32 workers`, async () => {
    for (const seed of [0, 0.5, 0.999]) {
      const { lost, done, sent, end, seenAt } = await live(outage, 32, 4000, {
        seed,
      });
      assertEquals(lost, []);
      assert(done >= 4000, `${done}`);
      assert(seenAt < DOWN_AT + outage.takes + 0.5, `seen at ${seenAt}`);
      const probes = sent.filter((at) => at > seenAt && at < UP_AT);
      assert(probes.length <= 12, `${probes.length} probes at ${probes}`);
      // One probe's pause after it, 30 s at the most: the next item goes.
      const resumed = sent.find((at) => at >= UP_AT)!;
      const pause = resumed - probes.at(-1)!;
      assert(pause <= 33 + outage.takes, `a pause of ${pause} s`);
      assert(resumed - UP_AT < 15, `${resumed - UP_AT} s after it`);
      // ... and the rest follows at once.
      assert(end - resumed < 20, `${end - resumed} s after the outage`);
    }
  });
}

Deno.test("RateLimiter loses nothing to outages of up to a minute, whenever they come", () =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(OUTAGES)),
      fc.integer({ min: 16, max: 64 }),
      fc.integer({ min: 0, max: 5000 }).map((ms) => ms / 1000),
      fc.integer({ min: 100, max: 60_000 }).map((ms) => ms / 1000),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      async (outage, workers, downAt, downFor, seed) => {
        const upAt = downAt + downFor;
        const { lost, sent, seenAt } = await live(outage, workers, 0, {
          ...{ seed, downAt, upAt },
        });
        assertEquals(lost, []);
        const probes = sent.filter((at) => at > seenAt && at < upAt);
        assert(probes.length <= 12, `${probes.length} probes at ${probes}`);
      },
    ),
    { numRuns: 100 },
  ));

Deno.test("RateLimiter probes after 1, 2, 4 ... 30 seconds in an outage, from the front of the queue", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter({ patience: Infinity });
    const asked: { id: number; at: number }[] = [];
    let up = false;
    let left = 12;
    const call = async (id: number) => {
      await retryWithBackoff(async () => {
        asked.push({ id, at: now() });
        await wait(0.01);
        if (!up) throw networkError();
      }, { limiter, config: { maxRetries: Infinity } });
      left--;
    };
    for (let id = 0; id < 12; id++) void call(id);
    await runUntil(time, () => {
      up = asked.length >= 36;
      return left === 0;
    });
    const pauses = asked.slice(1, 36).map(({ at }, index) =>
      at - asked[index]!.at
    );
    // The pauses double, with a jitter of 10 %, until they are 30 s.
    const first = pauses.findIndex((pause) => pause >= 1);
    for (const [index, pause] of pauses.slice(first).entries()) {
      const due = Math.min(30, 2 ** index);
      assert(
        pause >= due && pause <= 1.1 * due + 0.02,
        `${pause} s instead of ${due}`,
      );
    }
    // Who probed in vain goes behind the others.
    const probes = asked.slice(20, 32).map(({ id }) => id);
    assertEquals(new Set(probes).size, 12, `${probes}`);
  }));

for (
  const [name, failure] of [
    ["refused connections", networkError("ECONNREFUSED")],
    ["a bare 503", refuse(503)],
    ["timeouts", new DOMException("late", "TimeoutError")],
  ] as const
) {
  Deno.test(`retryWithBackoff() ends after as many attempts with a limiter as without, where a single worker meets ${name}`, async () => {
    const without = await play([failure]);
    const limited = await play([failure], { limiter: new RateLimiter() });
    assertEquals(limited.starts.length, without.starts.length);
    assertEquals(limited.state, "rejected");
    assertEquals(
      limited.gaveUp.map(({ reason }) => reason),
      without.gaveUp.map(({ reason }) => reason),
    );
    assert(limited.end <= 30, `after ${limited.end} s`);
  });
}

Deno.test("RateLimiter does not take single failures among accepted requests for an outage", () =>
  onFakeTime(async (time) => {
    const limiter = new RateLimiter();
    let request = 0;
    let done = 0;
    const start = now();
    const phases = new Set<string>();
    const worker = async () => {
      while (request < 600) {
        await retryWithBackoff(async () => {
          const failed = request++ % 10 === 0;
          await wait(0.05);
          if (failed) throw networkError();
        }, { limiter });
        done++;
        phases.add(limiter.state.phase);
      }
    };
    let workers = 8;
    for (let id = 0; id < 8; id++) worker().then(() => workers--);
    await runUntil(time, () => workers === 0);
    assert(done >= 500, `${done}`);
    assert(!phases.has("outage"));
    assert(now() - start < 30, `${now() - start} s`);
  }));

Deno.test("RateLimiter takes nothing for an outage but what the server or the network fails with", () =>
  onFakeTime(async (time) => {
    const failures: [string, () => unknown, boolean][] = [
      ["bugs", () => new RangeError("a bug"), false],
      ["aborts", () => new DOMException("aborted", "AbortError"), false],
      ["404", refuse(404), false],
      ["500", refuse(500), false],
      ["timeouts", () => new DOMException("late", "TimeoutError"), true],
      ["broken connections", () => networkError(), true],
      ["502", refuse(502), true],
      ["503", refuse(503), true],
      ["504", refuse(504), true],
    ];
    for (const [name, make, isOutage] of failures) {
      const types: string[] = [];
      const limiter = new RateLimiter({
        onEvent: ({ type }) => types.push(type),
      });
      const calls = Array.from(
        { length: 20 },
        () =>
          watch(limiter.run(async () => {
            await wait(0.01);
            const failure = make();
            if (failure instanceof Response) return failure;
            throw failure;
          })),
      );
      await runUntil(
        time,
        () => calls.every(({ state }) => state !== "pending"),
      );
      assertEquals(types.includes("outage"), isOutage, `${name}: ${types}`);
      // An outage is told as one, and not as a pause beside.
      assert(!types.includes("paused"), `${name}: ${types}`);
    }
  }));
