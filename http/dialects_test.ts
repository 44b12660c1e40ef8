import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { APIS, WHEN } from "./dialects_cases.ts";
import { apisPage } from "../tools/checks/apis_page.ts";
import { serverDelay } from "../retry_after.ts";
import {
  checkDialect,
  type DialectRow,
  type LimitReading,
  readDelay,
  readLimits,
} from "./dialects.ts";

/** An answer of some API, and what it says. */
interface Case {
  readonly vendor: string;
  readonly when: string;
  /** Seconds that the client's clock is ahead. */
  readonly skew?: number;
  readonly headers: Record<string, string>;
  readonly expect: {
    readonly delay?: number | null;
    readonly remaining?: number;
    readonly resetIn?: number;
    readonly free?: boolean;
    readonly note?: string;
  };
}

/** The limit that holds back the next request the most. */
function tightest(limits: readonly LimitReading[]): LimitReading | undefined {
  const [first, ...rest] = limits.filter(({ remaining, counted }) =>
    counted || remaining === 0
  );
  return rest.reduce(
    (a, b) =>
      b.remaining! < a!.remaining! ||
        b.remaining === a!.remaining && (b.reset ?? 0) > (a!.reset ?? 0)
        ? b
        : a,
    first,
  );
}

function near(actual: number | undefined, expected: number, message: string) {
  assert(
    actual !== undefined && Math.abs(actual - expected) < 1e-3,
    `${message}: ${actual} instead of ${expected}`,
  );
}

function check({ when, skew = 0, headers: given, expect }: Case) {
  const headers = new Headers(given);
  const now = Date.parse(when) + skew * 1000;
  const limits = readLimits(headers, now);
  if (expect.delay === null) {
    assertEquals(serverDelay(headers, { now }), undefined);
  } else if (expect.delay !== undefined) {
    near(serverDelay(headers, { now }), expect.delay, "delay");
  }
  const limit = tightest(limits);
  if (expect.free) assert(limit === undefined || limit.remaining! > 10);
  if (expect.remaining === undefined) return;
  assertEquals(limit?.remaining, expect.remaining);
  if (expect.resetIn !== undefined) near(limit?.reset, expect.resetIn, "reset");
}

Deno.test("readLimits() and serverDelay() meet the shared cases", async () => {
  const file = new URL("../../shared/cases/dialects.json", import.meta.url);
  const text = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "[]";
    throw error;
  });
  const wrong: string[] = [];
  for (const [index, answer] of JSON.parse(text).entries()) {
    try {
      check(answer);
    } catch (error) {
      const { message } = error as Error;
      wrong.push(
        `${index} ${answer.vendor}, ${answer.expect.note}: ${message}`,
      );
    }
  }
  assertEquals(wrong, []);
});
for (const { name, answers } of APIS) {
  for (const [index, { headers, delay, left }] of answers.entries()) {
    Deno.test(`readLimits() and readDelay() read ${name}, answer ${index + 1}`, () => {
      const limits = readLimits(new Headers(headers), WHEN);
      if (delay !== undefined) {
        const told = readDelay(new Headers(headers), WHEN);
        if (delay === null) assertEquals(told, undefined);
        else near(told, delay, "delay");
      }
      if (left === undefined) return;
      const limit = tightest(limits);
      if (left === null) return assert(!limit || !limit.counted);
      assertEquals(limit?.remaining, left.remaining);
      if (left.limit !== undefined) assertEquals(limit?.limit, left.limit);
      if (left.reset !== undefined) near(limit?.reset, left.reset, "reset");
    });
  }
}

/** The readings of an answer at {@linkcode WHEN}. */
function read(headers: Record<string, string>, rows?: readonly DialectRow[]) {
  return readLimits(new Headers(headers), WHEN, rows);
}

const IN_A_MINUTE = `${WHEN / 1000 + 60}`;

Deno.test("readLimits() tells all that is said of a limit", () => {
  assertEquals(
    read({
      "x-ratelimit-limit": "100",
      "x-ratelimit-remaining": "7",
      "x-ratelimit-reset": IN_A_MINUTE,
      "x-ratelimit-resource": "core",
    }),
    [{
      id: "ratelimit/x/core",
      limit: 100,
      remaining: 7,
      reset: 60,
      precision: 1,
      instant: true,
      window: undefined,
      rate: undefined,
      counted: true,
    }],
  );
  assertEquals(
    read({
      ratelimit: '"hour";r=7;t=60',
      "ratelimit-policy": '"hour";q=100;w=3600',
    }),
    [{
      id: "ratelimit/hour",
      limit: 100,
      remaining: 7,
      reset: 60,
      precision: 1,
      instant: false,
      window: 3600,
      rate: undefined,
      counted: true,
    }],
  );
});

/** A reset, its seconds, what it is rounded to, and whether it is an instant. */
const RESETS: [string, number | undefined, number, boolean][] = [
  ["60", 60, 1, false],
  ["0", 0, 1, false],
  ["9.5", 9.5, 0, false],
  [IN_A_MINUTE, 60, 1, true],
  [`${WHEN / 1000 + 60.25}`, 60.25, 0, true],
  [`${WHEN + 60_000}`, 60, 1, true],
  [`${WHEN + 60_250}`, 60.25, 0, true],
  ["2026-11-25T12:01Z", 60, 60, true],
  ["2026-11-25T12:01:00Z", 60, 1, true],
  ["2026-11-25 12:01:00 UTC", 60, 1, true],
  ["2026-11-25T12:01:00.250Z", 60.25, 0, true],
  ["2026-11-25 04:01:00 -0800", 60, 1, true],
  ["Wed, 25 Nov 2026 12:01:00 GMT", 60, 1, true],
  ["Wed, 25 Nov 2026 13:01:00 +0100", 60, 1, true],
  ["Wednesday, 25-Nov-26 12:01:00 GMT", 60, 1, true],
  ["Wed Nov 25 12:01:00 2026", 60, 1, true],
  ["Wed Nov 25 2026 07:01:00 GMT-0500 (Eastern Standard Time)", 60, 1, true],
  ["Wed Nov 25 2026 12:01:00 GMT+0000", 60, 1, true],
  ["1m0s", 60, 1, false],
  ["120ms", 0.12, 0, false],
  ["1h2m3s", 3723, 1, false],
  ["1.5h", 5400, 1, false],
  ["250\u00b5s", 0.00025, 0, false],
  ["250us", 0.00025, 0, false],
  ["7ns", 7e-9, 0, false],
  ["2d", 172800, 1, false],
  ["90 seconds", 90, 1, false],
  ["5 minutes", 300, 1, false],
  ["PT1M30S", 90, 1, false],
  ["00:01:30", 90, 1, false],
  // In the past, or nothing.
  ["-1", undefined, 1, false],
  [`${WHEN / 1000 - 60}`, undefined, 1, true],
  ["2026-11-25T11:59Z", undefined, 60, true],
  ["2026-11-25T12:01:00", undefined, 1, false],
  ["Wed Nov 31 2026 12:01:00 GMT+0000", undefined, 1, false],
  ["Wed Nov 25 2026 12:01:00 GMT+0000 (a) (b)", undefined, 1, false],
  ["1m 0x", undefined, 1, false],
  ["m", undefined, 1, false],
  ["PT", undefined, 1, false],
  ["tomorrow", undefined, 1, false],
  ["1e400", undefined, 1, true],
  ["Infinity", undefined, 1, false],
  ["", undefined, 1, false],
];

for (const [text, seconds, precision, instant] of RESETS) {
  Deno.test(`readLimits() reads a reset of ${JSON.stringify(text)} as ${seconds} s`, () => {
    const [limit] = read({
      "x-ratelimit-remaining": "1",
      "x-ratelimit-reset": text,
    });
    if (seconds === undefined) assertEquals(limit!.reset, undefined);
    else near(limit!.reset, seconds, text);
    if (text !== "1e400") assertEquals(limit!.precision, precision);
    assertEquals(limit!.instant, instant);
  });
}

Deno.test("readLimits() measures instants by the server's clock, but not by a cache's", () => {
  const headers = {
    date: new Date(WHEN + 600_000).toUTCString(),
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": `${WHEN / 1000 + 660}`,
  };
  assertEquals(read(headers)[0]!.reset, 60);
  assertEquals(read({ ...headers, date: "now" })[0]!.reset, 660);
  assertEquals(read({ ...headers, age: "0" }), []);
  assertEquals(
    readDelay(new Headers({ ...headers, age: "0" }), WHEN),
    undefined,
  );
});

Deno.test("readDelay() takes a wait from a cache, as the status is the cache's", () => {
  const headers = new Headers({ age: "7", "retry-after": "30" });
  assertEquals(readDelay(headers, WHEN), 30);
});

Deno.test("readLimits() leaves out what says nothing", () => {
  for (
    const headers of [
      {},
      { "x-ratelimit-limit": "100" },
      { "x-ratelimit-remaining": "-1" },
      { "x-ratelimit-remaining": "many" },
      { "x-ratelimit-remaining": "Infinity" },
      { "x-ratelimit-remaining": "1e400" },
      { "x-ratelimit-remaining": "" },
      { "x-ratelimit-limit": "0", "x-ratelimit-remaining": "0" },
      { "x-ratelimit-used": "7" },
      { "beta-ratelimit": '"a";r=0;t=60' },
      { "x-beta-ratelimit-remaining": "0" },
      { ratelimit: '"a";t=60' },
      { ratelimit: '"a";r=-1;t=60' },
      { ratelimit: '"a";r=0;t=60, "b' },
      { ratelimit: '"a";r=0=0;t=60' },
      { ratelimit: '"a";r=0;t=soon' },
      { "docker-ratelimit-source": "192.0.2.1" },
      { "x-shopify-shop-api-call-limit": "11/25/2026" },
      { "x-app-usage": "{}" },
      { "x-pages-remaining": "0" },
      { "x-limit": "25", "x-limit-count": "25" },
    ]
  ) {
    assertEquals(read(headers), [], JSON.stringify(headers));
  }
});

Deno.test("readLimits() tells limits apart, each by the same name every time", () => {
  const ids = (headers: Record<string, string>) =>
    read(headers).map(({ id }) => id);
  assertEquals(
    ids({
      "x-ratelimit-remaining-requests": "1",
      "x-ratelimit-remaining-tokens": "2",
    }),
    ["ratelimit/x/requests", "ratelimit/x/tokens"],
  );
  assertEquals(
    ids({ "x-rate-limit-remaining": "1", "x-ratelimit-remaining": "1" }),
    ["rate-limit/x", "ratelimit/x"],
  );
  assertEquals(ids({ ratelimit: '"a";r=1, "b";r=2, "a";r=3' }), [
    "ratelimit/a",
    "ratelimit/b",
    "ratelimit/a+",
  ]);
  assertEquals(ids({ ratelimit: '"a";r=1;pk=:YWI=:' }), ["ratelimit/a/:YWI=:"]);
  assertEquals(ids({ "x-ratelimit-remaining": "2, 60" }), [
    "ratelimit/x",
    "ratelimit/x/1",
  ]);
  assertEquals(
    ids({ "x-ratelimit-remaining": "0", "x-ratelimit-resource": "search" }),
    ["ratelimit/x/search"],
  );
});

Deno.test("readLimits() closes for tokens, points and bytes, and does not count them", () => {
  const counted = (headers: Record<string, string>) =>
    read(headers).map(({ counted }) => counted);
  assertEquals(counted({ "x-ratelimit-remaining-tokens": "9" }), [false]);
  assertEquals(counted({ "x-ratelimit-remaining-requests": "9" }), [true]);
  // Trello's is the token of a user.
  assertEquals(counted({ "x-rate-limit-api-token-remaining": "9" }), [true]);
  assertEquals(
    counted({
      ratelimit: '"a";r=9, "b";r=9',
      "ratelimit-policy": '"a";q=10;qu="content-bytes", "b";q=10;qu="requests"',
    }),
    [false, true],
  );
  // What is known to cost something can be counted.
  assertEquals(counted({ ratelimit: '"points";r=40;c=10' }), [true]);
});

Deno.test("readLimits() tells what comes back steadily", () => {
  const rate = (headers: Record<string, string>) => read(headers)[0]!.rate;
  const left = { "x-ratelimit-remaining": "9" };
  assertEquals(rate({ ...left, "x-ratelimit-rate": "10" }), 10);
  assertEquals(
    rate({
      ...left,
      "x-ratelimit-fillrate": "10",
      "x-ratelimit-interval-seconds": "60",
    }),
    1 / 6,
  );
  assertEquals(
    rate({
      ...left,
      "x-ratelimit-replenish-rate": "10",
      "x-ratelimit-requested-tokens": "4",
    }),
    2.5,
  );
  for (const nothing of ["0", "-1", "fast", "Infinity"]) {
    const headers = { ...left, "x-ratelimit-rate": nothing };
    assertEquals(rate(headers), undefined, nothing);
  }
});

Deno.test("readLimits() guesses the end of a short window only", () => {
  const told = (headers: Record<string, string>) => {
    const { reset, precision, window } = read(headers)[0]!;
    return [reset, precision, window];
  };
  const left = { "x-ratelimit-remaining-minute": "9" };
  assertEquals(told(left), [60, 60, 60]);
  assertEquals(told({ "x-ratelimit-remaining-day": "9" }), [
    undefined,
    1,
    86400,
  ]);
  assertEquals(told({ ...left, "x-ratelimit-reset-minute": "7" }), [7, 1, 60]);
  assertEquals(told({ "x-ratelimit-remaining-secondary": "9" }), [
    undefined,
    1,
    undefined,
  ]);
});

Deno.test("readLimits() leaves out what another family of the same answer says better", () => {
  const same = {
    "ratelimit-limit": "700",
    "ratelimit-remaining": "5",
    "ratelimit-reset": "41",
    "x-rate-limit": "700",
    "x-rate-limit-remaining": "5",
  };
  assertEquals(read(same).length, 1);
  assertEquals(read({ ...same, "x-rate-limit-remaining": "4" }).length, 2);
  assertEquals(read({ ...same, "x-rate-limit-reset": "9" }).length, 2);
});

Deno.test("readDelay() takes the finest wait, then the longest reset of what is used up", () => {
  const delay = (headers: Record<string, string>) =>
    readDelay(new Headers(headers), WHEN);
  const finest = { "retry-after-ms": "1500", "retry-after": "2" };
  assertEquals(delay(finest), 1.5);
  assertEquals(delay({ ...finest, "retry-after-ms": "0" }), 2);
  assertEquals(delay({ "x-retry-after": "7", "retry-after": "2" }), 2);
  assertEquals(delay({ "retry-after-a": "3", "retry-after-b": "9" }), 9);
  assertEquals(delay({ "retry-after": "0" }), undefined);
  assertEquals(delay({ "retry-after": "soon" }), undefined);
  assertEquals(delay({ "retry-after": "120, 240" }), undefined);
  const reset = { ratelimit: '"a";r=0;t=30, "b";r=0;t=40, "c";r=1;t=50' };
  assertEquals(delay(reset), 40);
  assertEquals(delay({ ...reset, "retry-after": "0" }), 40);
  assertEquals(delay({ ...reset, "retry-after": "7" }), 7);
});

Deno.test("a row of the caller's goes before the module's own", () => {
  const headers = {
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": "59000",
    "retry-after": "1500",
  };
  const row: DialectRow = {
    name: "mine",
    limit: "X-RateLimit-Limit",
    remaining: "X-RateLimit-Remaining",
    reset: "X-RateLimit-Reset",
    unit: "milliseconds",
  };
  const [limit] = read(headers, [row]);
  assertEquals(limit!.id, "mine");
  assertEquals(limit!.reset, 59);
  assertEquals(read(headers)[0]!.reset, 59000);
  const wait: DialectRow = { delay: "retry-after", unit: "milliseconds" };
  assertEquals(readDelay(new Headers(headers), WHEN, [row, wait]), 1.5);
  assertEquals(read(headers, [{ ignored: "x-ratelimit-*" }]), []);
});

Deno.test("a row reads as many limits as its star stands for", () => {
  const row: DialectRow = {
    remaining: ["x-acme-*-left", "x-acme-left"],
    limit: "x-acme-*-quota",
    reset: "x-acme-*-wait",
    unit: "minutes",
    counted: false,
  };
  const headers = {
    "x-acme-search-left": "3",
    "x-acme-search-quota": "10",
    "x-acme-search-wait": "2",
    "x-acme-left": "7",
  };
  const limits = read(headers, [row]);
  assertEquals(limits.map(({ id }) => id), [
    "x-acme--left",
    "x-acme--left/search",
  ]);
  assertEquals(limits[1]!.limit, 10);
  assertEquals(limits[1]!.reset, 120);
  assertEquals(limits[1]!.counted, false);
});

Deno.test("checkDialect() takes every field of a row", () => {
  checkDialect([]);
  checkDialect([
    {
      name: "mine",
      remaining: "a-*",
      used: ["b", "c"],
      limit: "d",
      reset: "e",
      after: "f",
      window: 60,
      rate: "g",
      cost: "h",
      resource: "i",
      list: "j",
      policy: "k",
      delay: "l",
      soft: "m",
      ignored: "n",
      unit: "seconds",
      longest: 60,
      counted: true,
    },
    { remaining: "a", window: "b", limit: undefined },
  ]);
});

for (
  const [dialect, message] of [
    [
      {},
      "'dialect' must be an array of rows: current value is [object Object]",
    ],
    [[null], "'dialect[0]' must be an object"],
    [[{ remaning: "x" }], "'dialect[0]' has no field 'remaning'"],
    [
      [{ remaining: 5 }],
      "'dialect[0].remaining' must be a header's name: current value is 5",
    ],
    [[{ remaining: ["a", "b c"] }], "'dialect[0].remaining'"],
    [[{ remaining: "" }], "'dialect[0].remaining'"],
    [[{ remaining: "a", window: 0 }], "'dialect[0].window'"],
    [[{ remaining: "a", unit: "hours" }], "'dialect[0].unit'"],
    [[{ remaining: "a", longest: -1 }], "'dialect[0].longest'"],
    [[{ remaining: "a", counted: 1 }], "'dialect[0].counted'"],
    [[{ remaining: "a", name: 1 }], "'dialect[0].name'"],
    [[{ remaining: "a" }, { limit: "a" }], "'dialect[1]' must be a row with"],
  ] as const
) {
  Deno.test(`checkDialect() refuses ${JSON.stringify(dialect)}`, () => {
    assertThrows(() => checkDialect(dialect), TypeError, message);
  });
}

/** Names and values of all cases, and what is no header at all. */
const NAMES = [
  ...new Set(
    APIS.flatMap(({ answers }) =>
      answers.flatMap(({ headers }) => Object.keys(headers))
    ),
  ),
  "date",
  "age",
  "ratelimit-remaining-reset-limit",
];
const VALUES = APIS.flatMap(({ answers }) =>
  answers.flatMap(({ headers }) => Object.values(headers))
);

const ANSWERS = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...NAMES),
    fc.stringMatching(/^x-[a-z]{0,5}-(rate-?limit|quota|limit)-[a-z-]{0,9}$/),
  ),
  fc.oneof(
    fc.constantFrom(...VALUES),
    fc.double().map(String),
    fc.integer().map(String),
    fc.stringMatching(
      /^("?[a-z]{0,3}"?(;[rtqwac]=[0-9.-]{0,3}){0,3}, ?){0,3}$/,
    ),
    fc.stringMatching(/^[\x20-\x7e]*$/),
  ).map((value) => value.trim()),
  { maxKeys: 8 },
);

Deno.test("readLimits() and readDelay() never throw, and tell finite numbers for any headers", () => {
  fc.assert(
    fc.property(ANSWERS, (headers) => {
      const all = new Headers(headers);
      const delay = readDelay(all, WHEN);
      assert(delay === undefined || delay >= 0 && delay < Infinity);
      const limits = readLimits(all, WHEN);
      assertEquals(new Set(limits.map(({ id }) => id)).size, limits.length);
      for (
        const { limit, remaining, reset, precision, window, rate } of limits
      ) {
        assert(Number.isInteger(remaining) && remaining! >= 0);
        assert(limit === undefined || Number.isInteger(limit) && limit > 0);
        assert(precision >= 0 && precision <= 60);
        for (const seconds of [reset, window, rate]) {
          assert(seconds === undefined || seconds >= 0 && seconds < Infinity);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readLimits() and readDelay() do not care for the order and the letter case of headers", () => {
  fc.assert(fc.property(ANSWERS, (headers) => {
    const entries = Object.entries(headers);
    const turned = new Headers(
      entries.reverse().map((
        [name, value],
      ): [string, string] => [name.toUpperCase(), value]),
    );
    // Names that differ in letter case alone are one header.
    if ([...turned].length !== entries.length) return;
    const all = new Headers(headers);
    assertEquals(readLimits(turned, WHEN), readLimits(all, WHEN));
    assertEquals(readDelay(turned, WHEN), readDelay(all, WHEN));
  }));
});

Deno.test("readLimits() and readDelay() read hostile headers in linear time", () => {
  const many = 100_000;
  const values = [
    "1".repeat(many) + "x",
    " ".repeat(many) + '"',
    '"'.repeat(many),
    '"\\'.repeat(many),
    ":;".repeat(many),
    "a=".repeat(many),
    "1,".repeat(many),
    "1/".repeat(many),
    "r ".repeat(many) + "=",
    "1s".repeat(many),
    "Wed, ".repeat(many),
    '{"call_count":'.repeat(many),
    "60::".repeat(many),
    '"a";r=1,'.repeat(many),
    "min".repeat(many),
  ];
  const names = [
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-reset",
    "x-ratelimit-used",
    "x-app-usage",
    "retry-after",
    "x-sentry-rate-limits",
  ];
  for (const value of values) {
    const headers = new Headers();
    for (const name of names) headers.set(name, value);
    readLimits(headers, WHEN);
    readDelay(headers, WHEN);
    readDelay(
      new Headers({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": value }),
      WHEN,
    );
  }
  for (let index = 0; index < 2000; index++) {
    readLimits(
      new Headers({ [`x-${"ratelimit".repeat(9)}-${index}`]: "1" }),
      WHEN,
    );
  }
  readLimits(new Headers({ ["ratelimit-".repeat(many)]: "1" }), WHEN);
});

Deno.test("docs/apis.md is as the table says; deno run -A tools/checks/apis.ts makes it", async () => {
  const file = new URL("../docs/apis.md", import.meta.url);
  // Formatting makes columns and lines equally wide.
  const plain = (text: string) =>
    text.replace(/-{3,}/g, "-").replace(/\s+/g, "");
  const code = /```[^]*?```/;
  const written = await Deno.readTextFile(file).catch((error) => {
    // Where tests are bundled, it is elsewhere.
    if (error instanceof Deno.errors.NotFound) return apisPage();
    throw error;
  });
  assertEquals(
    plain(written.replace(code, "")),
    plain(apisPage().replace(code, "")),
  );
});
