import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { APIS, WHEN } from "./dialects_cases.ts";
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
void [checkDialect, assertThrows, fc];
export type { DialectRow };
