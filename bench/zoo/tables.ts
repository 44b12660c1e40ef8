/**
 * Figures of many servers, in tables.
 *
 * @module
 */

import { type Draw, figure } from "./draw.ts";
import type { Moment, Result } from "./play.ts";

/** A server with what came of it; plain data, for threads and files. */
export interface Row extends Omit<Result, "stuck"> {
  readonly stuck: string | undefined;
  readonly family: string;
  readonly tells: string;
  readonly status: number;
  readonly items: number;
  readonly workers: number;
  readonly outage: boolean;
  readonly words: string;
}

export function rowOf(draw: Draw, result: Result): Row {
  const { family, telling, items, workers, outage } = draw;
  return {
    ...result,
    family,
    tells: telling.tell,
    status: telling.status,
    items,
    workers,
    outage: outage !== undefined,
    words: describe(draw),
  };
}

/** A server and its job in one line. */
export function describe(draw: Draw): string {
  const { telling, net, outage, faults, attemptTimeout } = draw;
  const told: string[] = [telling.tell];
  if (!/^nothing|^retry/.test(telling.tell)) {
    if (telling.on !== "all") told.push(`on ${telling.on}`);
    if (telling.honesty !== "honest") told.push(telling.honesty);
    if (telling.nextToken) told.push("next token");
  }
  if (telling.beside) told.push("+ retry-after");
  return [
    `${draw.family}: ${draw.words}`,
    told.join(" "),
    telling.status,
    Math.abs(telling.ahead) > 0 && `clock ${figure(telling.ahead)} s`,
    !telling.date && "no Date",
    `${draw.items} items, ${draw.workers} workers, best ${figure(draw.best)} s`,
    `${figure(net.latency * 1000)} ms, ${Math.round(net.way * 100)} % way, ` +
    `sigma ${figure(net.waySigma)}/${figure(net.serviceSigma)}`,
    faults.share > 0 && `${figure(faults.share * 100)} % faults`,
    outage &&
    `${outage.kind} ${figure(outage.from)}-${figure(outage.to)} s` +
      (outage.kind === "503 + Retry-After" ? ` (${outage.retryAfter})` : ""),
    draw.parsed ? "parsed" : "returned",
    attemptTimeout !== undefined && `timeout ${figure(attemptTimeout)} s`,
  ].filter(Boolean).join("; ");
}

export function momentLine(moment: Moment): string {
  const { time, done, lost, sent, refused, waiting, state } = moment;
  const counts = `${time.toFixed(2).padStart(8)} s  done ${done}  ` +
    `sent ${sent}  refused ${refused}  waiting ${waiting}`;
  const losses = lost > 0 ? `  lost ${lost}` : "";
  return counts + losses + (state ? `  ${JSON.stringify(state)}` : "");
}

/** The value that a share of all do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[place] ?? NaN;
}

const HEAD = [
  "",
  "n",
  "median",
  "p90",
  "worst",
  "done",
  "waste",
  "p90",
  "lost",
  "on",
  "stuck",
  "early",
  "fine",
];

function figures(name: string, rows: readonly Row[]): string[] {
  const ratios = rows.map(({ ratio }) => ratio);
  const wastes = rows.map(({ waste }) => waste);
  const total = (count: (row: Row) => number) =>
    rows.reduce((sum, row) => sum + count(row), 0);
  const times = (value: number) =>
    value === Infinity ? "stuck" : value.toFixed(2);
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
  const done = ratios.filter((ratio) => ratio < Infinity);
  return [
    name,
    String(rows.length),
    times(quantile(ratios, 0.5)),
    times(quantile(ratios, 0.9)),
    times(quantile(ratios, 1)),
    times(quantile(done, 1)),
    percent(quantile(wastes, 0.5)),
    percent(quantile(wastes, 0.9)),
    String(total(({ lost }) => lost)),
    String(total(({ lost }) => Number(lost > 0))),
    String(total(({ stuck }) => Number(stuck !== undefined))),
    String(total(({ early }) => early)),
    percent(total(({ fine }) => Number(fine)) / rows.length),
  ];
}

/** A table with a line for each group of rows, in the groups' order. */
export function table(
  rows: readonly Row[],
  groupOf: (row: Row) => string,
): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = groupOf(row);
    groups.set(name, [...groups.get(name) ?? [], row]);
  }
  const names = [...groups.keys()].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true })
  );
  return align([
    HEAD,
    ...names.map((name) => figures(name, groups.get(name)!)),
  ]);
}

export function align(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  return lines.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)
    ).join("  ")
  ).join("\n");
}

/** The range that a count is in. */
export function magnitude(count: number, steps: readonly number[]): string {
  const above = steps.findIndex((step) => count < step);
  const from = above === 0 ? 1 : steps.at(above < 0 ? -1 : above - 1)!;
  return above < 0 ? `${from} and more` : `${from}-${steps[above]! - 1}`;
}

export function report(rows: readonly Row[]): string {
  const slowest = [...rows].sort((a, b) => compare(b.ratio, a.ratio));
  const wasteful = [...rows].sort((a, b) => b.waste - a.waste);
  const parts = [
    table(rows, () => "all"),
    table(rows, ({ family }) => family),
    table(rows, ({ tells }) => tells),
    table(
      rows,
      ({ items }) => `items ${magnitude(items, [50, 250, 1000, 4000])}`,
    ),
    table(
      rows,
      ({ workers }) => `workers ${magnitude(workers, [2, 8, 32, 128])}`,
    ),
    table(rows, ({ status }) => String(status)),
    `Worst\n${slowest.slice(0, 25).map(line).join("\n")}`,
    `Most waste\n${wasteful.slice(0, 15).map(line).join("\n")}`,
  ];
  return parts.join("\n\n");
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function line(row: Row): string {
  const { seed, ratio, waste, lost, early, stuck, words } = row;
  return [
    String(seed).padStart(5),
    (stuck ?? ratio.toFixed(2)).padStart(7),
    `${(waste * 100).toFixed(0)} %`.padStart(5),
    lost > 0 ? `lost ${lost}` : "",
    early > 0 ? `early ${early}` : "",
    words,
  ].filter(Boolean).join("  ");
}

/** What is wrong with a run as a whole, a line each. */
export function complaints(rows: readonly Row[]): string[] {
  const wrong: string[] = [];
  const seeds = (is: (row: Row) => boolean) =>
    rows.filter(is).map(({ seed }) => seed);
  const name = (what: string, found: readonly number[]) => {
    if (found.length > 0) wrong.push(`${what}: ${found.join(" ")}`);
  };
  name("stuck", seeds(({ stuck }) => stuck !== undefined));
  name("early", seeds(({ early }) => early > 0));
  // A single worker tries an outage out by itself: its retries may be used up.
  name(
    "lost",
    seeds(({ lost, workers, outage }) =>
      lost > 0 && !(workers === 1 && outage)
    ),
  );
  const ratios = rows.map(({ ratio }) => ratio);
  const median = quantile(ratios, 0.5);
  const p90 = quantile(ratios, 0.9);
  if (median > 1.05) wrong.push(`median ${median.toFixed(3)} > 1.05`);
  if (p90 > 1.4) wrong.push(`p90 ${p90.toFixed(3)} > 1.40`);
  return wrong;
}

/** What stuck counts as where a mean has to be finite. */
const STUCK_RATIO = 20;

/** Two runs over the same seeds, by pairs. */
export function comparison(
  before: readonly Row[],
  after: readonly Row[],
  pick: (count: number) => number,
): string {
  const earlier = new Map(before.map((row) => [row.seed, row]));
  const pairs = after.flatMap((row) => {
    const old = earlier.get(row.seed);
    if (!old) return [];
    const change = Math.log(finite(row.ratio) / finite(old.ratio));
    return [{ old, row, change, waste: row.waste - old.waste }];
  });
  const count = pairs.length;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const geometric = (rows: readonly Row[]) =>
    Math.exp(mean(rows.map(({ ratio }) => Math.log(finite(ratio)))));
  const resampled = (values: readonly number[]) => {
    const means = Array.from(
      { length: 2000 },
      () => mean(values.map(() => values[pick(count)]!)),
    );
    return [quantile(means, 0.025), quantile(means, 0.975)] as const;
  };
  const changes = pairs.map(({ change }) => change);
  const wastes = pairs.map(({ waste }) => waste);
  const [low, high] = resampled(changes);
  const [less, more] = resampled(wastes);
  const percent = (value: number) => `${(value * 100).toFixed(2)} %`;
  const times = (log: number) => Math.exp(log).toFixed(4);
  const most = [...pairs].sort((a, b) =>
    Math.abs(b.change) - Math.abs(a.change)
  );
  return [
    `${count} seeds, stuck counts as ${STUCK_RATIO}`,
    `geometric mean of ratio ${
      geometric(pairs.map(({ old }) => old)).toFixed(4)
    }` +
    ` -> ${geometric(pairs.map(({ row }) => row)).toFixed(4)}: ` +
    `x ${times(mean(changes))} (95 %: ${times(low)} to ${times(high)})`,
    `waste ${percent(mean(wastes))} (95 %: ${percent(less)} to ${
      percent(more)
    })`,
    ...most.slice(0, 15).map(({ old, row }) =>
      `${String(row.seed).padStart(5)}  ${shown(old)} -> ${
        shown(row)
      }  ${row.words}`
    ),
  ].join("\n");
}

function shown({ ratio, stuck, waste }: Row): string {
  return `${stuck ?? ratio.toFixed(2)} (${(waste * 100).toFixed(0)} %)`;
}

function finite(ratio: number): number {
  return Math.min(ratio, STUCK_RATIO);
}
