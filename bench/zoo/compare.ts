// deno-lint-ignore-file no-console
/**
 * Compares two runs of the same seeds, pair by pair.
 *
 * @module
 */

import { stream } from "./random.ts";
import { type Result, wasteOf } from "./results.ts";
import { lineOf } from "./tables.ts";

/** What a stuck run counts as: as long as a slow one is watched. */
const STUCK_RATIO = 20;

export function printComparison(before: Result[], after: Result[]): void {
  const others = new Map(after.map((result) => [result.seed, result]));
  const pairs = before.flatMap((a) => {
    const b = others.get(a.seed);
    return b ? [{ a, b }] : [];
  });
  const ratios = pairs.map(({ a, b }) => logOf(b) - logOf(a));
  const wastes = pairs.map(({ a, b }) => wasteOf(b) - wasteOf(a));
  const [low, high] = bootstrap(ratios);
  const [less, more] = bootstrap(wastes);
  const points = (share: number) => (share * 100).toFixed(2);
  console.log(
    `${pairs.length} seeds in both; intervals are 95 %, bootstrap over seeds\n` +
      `ratio x ${Math.exp(mean(ratios)).toFixed(3)} (${
        Math.exp(low).toFixed(3)
      } to ${Math.exp(high).toFixed(3)})\n` +
      `waste ${points(mean(wastes))} points (${points(less)} to ${
        points(more)
      })`,
  );
  for (const name of ["lost", "early"] as const) {
    const of = (results: Result[]) =>
      results.reduce((sum, result) => sum + result[name], 0);
    console.log(
      `${name} ${of(pairs.map(({ a }) => a))} -> ${
        of(pairs.map(({ b }) => b))
      }`,
    );
  }
  const stuck = (results: Result[]) =>
    results.filter((result) => result.stuck).length;
  console.log(
    `stuck ${stuck(pairs.map(({ a }) => a))} -> ${
      stuck(pairs.map(({ b }) => b))
    }`,
  );

  const changed = pairs.toSorted((x, y) =>
    logOf(y.b) - logOf(y.a) - logOf(x.b) + logOf(x.a)
  );
  printChanges("Worse", changed.slice(0, 12));
  printChanges("Better", changed.slice(-12).toReversed());
}

function printChanges(title: string, pairs: { a: Result; b: Result }[]): void {
  console.log(`\n${title}: before, after`);
  for (const { a, b } of pairs) {
    const was = a.stuck ?? a.ratio.toFixed(2);
    console.log(
      `${was.padStart(7)}, ${(wasteOf(a) * 100).toFixed(1)} % ->${lineOf(b)}`,
    );
  }
}

function logOf({ ratio, stuck }: Result): number {
  return Math.log(stuck ? STUCK_RATIO : ratio);
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle 95 % of the means of resampled values. */
function bootstrap(values: number[]): [number, number] {
  const random = stream(1);
  const means = Array.from({ length: 2000 }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      sum += values[Math.floor(random() * values.length)]!;
    }
    return sum / values.length;
  }).sort((a, b) => a - b);
  return [means[50]!, means[1949]!];
}
