// deno-lint-ignore-file no-console
/**
 * Prints results as tables.
 *
 * @module
 */

import { isFine, ratioOf, type Result, wasteOf } from "./results.ts";

const HEAD = [
  "n",
  "median",
  "p90",
  "worst",
  "waste",
  "p90",
  "lost",
  "on",
  "stuck",
  "early",
  "fine",
];

export function printTables(results: Result[]): void {
  printTable("family", results, (result) => result.family);
  printTable("tells", results, (result) => result.tells);
  printTable("items", results, ({ items }) => range(items, [50, 200, 1000]));
  printTable("workers", results, ({ workers }) => range(workers, [2, 8, 64]));
  printTable("status", results, ({ status }) => String(status));
}

export function printWorst(results: Result[], count = 25): void {
  const worst = results.toSorted((a, b) => badness(b) - badness(a));
  console.log(`\nThe ${Math.min(count, results.length)} worst`);
  for (const result of worst.slice(0, count)) console.log(lineOf(result));
}

/** A result in a line. */
export function lineOf(result: Result): string {
  const { seed, stuck, ratio, lost, early, description } = result;
  return `${String(seed).padStart(6)} ${
    stuck ? `${stuck} after ${ratio.toFixed(2)}` : ratio.toFixed(2).padStart(5)
  }, ${percent(wasteOf(result))} refused${lost ? `, ${lost} lost` : ""}${
    early ? `, ${early} early` : ""
  } | ${description}`;
}

/** Stuck first, then by ratio; what is lost or early, before what is not. */
function badness(result: Result): number {
  const ratio = Math.min(ratioOf(result), 1000);
  return ratio + (result.lost > 0 ? 1 : 0) + (result.early > 0 ? 0.5 : 0);
}

function printTable(
  title: string,
  results: Result[],
  groupOf: (result: Result) => string,
): void {
  const groups = new Map<string, Result[]>();
  for (const result of results) {
    const key = groupOf(result);
    groups.set(key, [...groups.get(key) ?? [], result]);
  }
  const keys = [...groups.keys()].toSorted((a, b) =>
    a.localeCompare(b, "en", { numeric: true })
  );
  const rows = keys.map((key) => [key, ...cellsOf(groups.get(key)!)]);
  rows.push(["all", ...cellsOf(results)]);
  print([[title, ...HEAD], ...rows]);
}

function cellsOf(results: Result[]): string[] {
  const ratios = results.map(ratioOf);
  const wastes = results.map(wasteOf);
  const sum = (of: (result: Result) => number) =>
    results.reduce((sum, result) => sum + of(result), 0);
  return [
    String(results.length),
    ratio(quantile(ratios, 0.5)),
    ratio(quantile(ratios, 0.9)),
    ratio(quantile(ratios, 1)),
    percent(quantile(wastes, 0.5)),
    percent(quantile(wastes, 0.9)),
    String(sum(({ lost }) => lost)),
    String(sum(({ lost }) => lost > 0 ? 1 : 0)),
    String(sum(({ stuck }) => stuck ? 1 : 0)),
    String(sum(({ early }) => early)),
    percent(sum((result) => isFine(result) ? 1 : 0) / results.length),
  ];
}

/** The value that a share of them does not exceed. */
export function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

function ratio(value: number): string {
  return value === Infinity ? "stuck" : value.toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function range(value: number, borders: number[]): string {
  const above = borders.findLastIndex((border) => value >= border);
  const low = above < 0 ? 1 : borders[above]!;
  const high = borders[above + 1];
  return high === undefined ? `${low}+` : `${low}-${high - 1}`;
}

/** Left column to the left, the others to the right. */
export function print(rows: string[][]): void {
  const widths = rows[0]!.map((_, i) =>
    Math.max(...rows.map((row) => row[i]!.length))
  );
  console.log();
  for (const row of rows) {
    console.log(
      row.map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]! + 2)
      ).join(""),
    );
  }
}
