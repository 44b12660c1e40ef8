import { assert, assertEquals } from "@std/assert";
import {
  follow,
  forget,
  givenPace,
  learn,
  type Pace,
  send,
  unknownPace,
  waitTime,
} from "./pace.ts";
import {
  bucket,
  concurrency,
  faulty,
  fixedWindow,
  type Job,
  type JobOptions,
  type Limit,
  randomNumbers,
  runJob,
  slidingWindow,
} from "../testing/simulate.ts";

const ITEMS = 1500;
const SEEDS = [1, 2, 3, 4, 5];

/** A server, its best possible time, and what the limiter may cost there. */
interface Case {
  name: string;
  limit: () => Limit;
  best: number;
  /** Time to the best possible time, median of the seeds. */
  ratio: number;
  /** Part of the requests that are refused, median of the seeds. */
  waste: number;
  jobs?: JobOptions[];
}

const WORKERS: JobOptions[] = [
  { workers: 32, latency: 0.001 },
  { workers: 32, latency: 0.005 },
  { workers: 256, latency: 0.005 },
];

const CASES: Case[] = [
  {
    name: "a bucket with Jira's headers, burst 1 s",
    limit: () => bucket(200, 200, "jira"),
    best: 6.5,
    ratio: 1.05,
    waste: 0.005,
  },
  {
    name: "a bucket with Jira's headers, burst 0.2 s",
    limit: () => bucket(200, 40, "jira"),
    best: 7.3,
    ratio: 1.05,
    waste: 0.005,
  },
  {
    name: "a bucket that tells its fill rate",
    limit: () => bucket(200, 40, "fill"),
    best: 7.3,
    ratio: 1.05,
    waste: 0.005,
  },
  {
    name: "a window with X-RateLimit-* in whole seconds",
    limit: () => fixedWindow(400, 2, "legacy"),
    best: 6,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window with the draft's RateLimit",
    limit: () => fixedWindow(400, 2, "draft-8"),
    best: 6,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window with seconds until the reset",
    limit: () => fixedWindow(400, 2, "fastify"),
    best: 6,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window of 1 s",
    limit: () => fixedWindow(150, 1, "draft-8"),
    best: 9,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window of 5 s",
    limit: () => fixedWindow(600, 5, "legacy"),
    best: 10,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window that is aligned to the clock",
    limit: () => fixedWindow(400, 2, "legacy", { aligned: true }),
    best: 6,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a window that also counts refused requests",
    limit: () => fixedWindow(400, 2, "legacy", { countRefused: true }),
    best: 6,
    ratio: 1.05,
    waste: 0.002,
  },
  {
    name: "a sliding window with the draft's RateLimit",
    limit: () => slidingWindow(400, 2, "draft-8"),
    best: 6,
    ratio: 1.2,
    waste: 0.02,
  },
  {
    name: "a sliding window with X-RateLimit-*",
    limit: () => slidingWindow(400, 2, "legacy"),
    best: 6,
    ratio: 1.3,
    waste: 0.02,
  },
  {
    name: "nginx without a header, burst 40",
    limit: () => bucket(200, 40, "none"),
    best: 7.3,
    ratio: 1.06,
    waste: 0.015,
  },
  {
    name: "nginx without a header, burst 20",
    limit: () => bucket(200, 20, "none"),
    best: 7.4,
    ratio: 1.06,
    waste: 0.015,
  },
  {
    name: "nginx without a header, burst 100",
    limit: () => bucket(150, 100, "none"),
    best: 9.33,
    ratio: 1.06,
    waste: 0.015,
  },
  {
    name: "a bucket that tells Retry-After only, burst 1 s",
    limit: () => bucket(200, 200, "retry-after"),
    best: 6.5,
    ratio: 1.15,
    waste: 0.02,
  },
  {
    name: "headers, 4 workers",
    limit: () => bucket(200, 40, "jira"),
    best: 7.3,
    ratio: 1.05,
    waste: 0.005,
    jobs: [{ workers: 4, latency: 0.005 }],
  },
  {
    name: "headers, half a second away",
    limit: () => fixedWindow(400, 10, "draft-8"),
    best: 30,
    ratio: 1.15,
    waste: 0.02,
    jobs: [{ workers: 256, latency: 0.5 }],
  },
  {
    name: "a limit that is halved after 3 s",
    limit: () => changing(200, 100),
    best: 3 + 8.8,
    ratio: 1.15,
    waste: 0.02,
  },
  {
    name: "a limit that is doubled after 3 s",
    limit: () => changing(100, 200),
    best: 3 + 5.9,
    ratio: 1.35,
    waste: 0.02,
  },
];

/** A bucket without headers whose rate changes after 3 s. */
function changing(before: number, after: number): Limit {
  let start = 0;
  return bucket(
    (now) => {
      start ||= now;
      return now - start < 3 ? before : after;
    },
    20,
    "none",
  );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function runJobs(limit: () => Limit, options: JobOptions): Job[] {
  return SEEDS.map((seed) =>
    runJob(limit(), { items: ITEMS, ...options, seed })
  );
}

for (const { name, limit, best, ratio, waste, jobs = WORKERS } of CASES) {
  for (const options of jobs) {
    const { workers, latency } = options;
    Deno.test(`a shared pace brings ${workers} workers home from ${name}, ${latency} s away`, () => {
      const done = runJobs(limit, options);
      // An answer takes up to 1.5 times the latency.
      const times = done.map(({ seconds }) =>
        seconds / (best + 1.5 * latency!)
      );
      const wasted = done.map(({ refused, requests }) => refused / requests);
      assertEquals(done.map(({ lost }) => lost), [0, 0, 0, 0, 0]);
      assertEquals(done.map(({ early }) => early), [0, 0, 0, 0, 0]);
      assert(median(times) <= ratio, `time ${times}`);
      assert(median(wasted) <= waste, `refused ${wasted}`);
    });
  }
}

Deno.test("a shared pace learns how many a server bears at once", () => {
  for (const seed of SEEDS) {
    const options = { workers: 64, latency: 0.05, seed };
    const { pace, refused, requests } = runJob(concurrency(10), options);
    // Some of those under way are on the way.
    assert(
      pace.crowd.ceiling >= 10 && pace.crowd.ceiling <= 24,
      `ceiling ${pace.crowd.ceiling}`,
    );
    assert(refused / requests < 0.06, `${refused} of ${requests}`);
  }
});

Deno.test("a shared pace is not slowed down by single 503s", () => {
  for (const seed of SEEDS) {
    const limit = faulty(randomNumbers(seed), 0.05);
    const { pace } = runJob(limit, { workers: 32, latency: 0.05, seed });
    // 32 workers, 0.07 s away, send no more than 460 a second.
    assert(pace.rate > 460, `rate ${pace.rate}`);
    assertEquals(pace.crowd.ceiling, Infinity);
  }
});

Deno.test("a shared pace survives a dead window of a server that says nothing", () => {
  const { lost, refused, requests, seconds } = runJob(
    fixedWindow(400, 2, "none"),
    { workers: 32, latency: 0.001 },
  );
  assertEquals(lost, 0);
  assert(refused / requests < 0.05 && seconds < 12);
});

/** One request that is answered at once. */
function exchange(pace: Pace, now: number, status: number, headers = {}): Pace {
  const { pace: sent, turn } = send(pace, now, 1);
  return learn(sent, now, turn, { status, headers }, 1);
}

Deno.test("headers that lie are not read any more after the second lie", () => {
  let pace = unknownPace(0);
  const lie = {
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "90",
    "x-ratelimit-reset": "60",
  };
  for (let time = 1; time <= 2; time++) {
    pace = exchange(pace, time * 10, 200, lie);
    assert(pace.quota);
    pace = exchange(pace, time * 10 + 0.1, 429, lie);
  }
  pace = exchange(pace, 40, 200, lie);
  assertEquals(pace.lies, 2);
  assertEquals(pace.quota, undefined);
});

Deno.test("what was under way when the course changed teaches nothing new", () => {
  let pace = givenPace(0, 100, 100);
  const turns = [1, 2, 3].map(() => {
    const sent = send(pace, 1, 1);
    pace = sent.pace;
    return sent.turn;
  });
  const refusal = { status: 429, headers: { "retry-after": "5" } };
  pace = learn(pace, 2, turns[0]!, refusal, 1);
  const { reaction, resumeAt } = pace;
  assertEquals([reaction, resumeAt], [3, 7]);
  pace = learn(pace, 3, turns[1]!, refusal, 1);
  assertEquals([pace.reaction, pace.resumeAt], [3, 8]);
  pace = forget(pace, 3, turns[2]!);
  assertEquals(pace.pending, 0);
});

Deno.test("an older answer does not open a window again", () => {
  let pace = unknownPace(0);
  const headers = (remaining: number) => ({
    ratelimit: `"a";r=${remaining};t=60`,
  });
  pace = exchange(pace, 1, 200, headers(10));
  const turns = [1, 2].map(() => {
    const sent = send(pace, 2, 2);
    pace = sent.pace;
    return sent.turn;
  });
  pace = learn(pace, 2.5, turns[1]!, { status: 200, headers: headers(8) }, 1);
  pace = learn(pace, 2.6, turns[0]!, { status: 200, headers: headers(9) }, 1);
  assertEquals(pace.quota?.remaining, 8);
});

Deno.test("the state is plain data, and no transition touches it", () => {
  const deepFreeze = (pace: Pace) => {
    for (const value of Object.values(pace)) Object.freeze(value);
    return Object.freeze(pace);
  };
  let pace = deepFreeze(unknownPace(0));
  const random = randomNumbers(1);
  for (let step = 0; step < 500; step++) {
    const now = step / 10;
    pace = deepFreeze(follow(pace, now));
    assert(waitTime(pace) >= 0);
    const sent = send(pace, now, 1);
    pace = deepFreeze(sent.pace);
    const status = [200, 200, 200, 429, 503][Math.floor(random() * 5)]!;
    const headers = {
      "x-ratelimit-remaining": String(step % 7),
      "x-ratelimit-limit": "7",
    };
    pace = deepFreeze(
      learn(
        pace,
        now,
        sent.turn,
        { status, headers: step % 3 ? headers : {} },
        1,
      ),
    );
  }
  assertEquals(structuredClone(pace), pace);
});

Deno.test("a clock that is set back shortens no pause, and prolongs it by no more than the time since the last look", () => {
  let pace = exchange(unknownPace(1000), 1000, 429, { "retry-after": "10" });
  pace = follow(pace, 1004);
  assertEquals(waitTime(pace), 6);
  pace = follow(pace, 504);
  assertEquals(waitTime(pace), 6);
  pace = follow(pace, 510);
  assertEquals(waitTime(pace), 0);
});

Deno.test("a clock that is set back takes a quota along", () => {
  let pace = exchange(unknownPace(1000), 1000, 200, {
    ratelimit: '"a";r=0;t=10',
  });
  pace = follow(pace, 500);
  assertEquals(Math.round(waitTime(pace)), 10);
  pace = follow(pace, 511);
  assertEquals(waitTime(pace), 0);
});
