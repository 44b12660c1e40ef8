/**
 * The figures of a run, read from what became of each request, and whether they
 * reach the goal.
 *
 * @module
 */

import { bestSeconds } from "./best.ts";
import type { Outcome } from "./client.ts";
import type { Goal, Row } from "./rows.ts";

/** The figures of one run, or the typical or worst ones of several. */
export interface Figures {
  /** Time, to the best possible time. */
  ratio: number;
  /** Percent of the requests that were not accepted. */
  waste: number;
  /** Items given up by the client. */
  lost: number;
  /** Items not done when the run was ended. */
  unfinished: number;
  /** Requests before a time that the server had named. */
  early: number;
  /** Seconds that the slowest hundredth of the items took at least. */
  p99: number;
  /** Seconds of processor time. */
  cpu: number;
  /** Requests in an outage once it can be known, 2 s after its begin. */
  probes: number;
  /** Seconds from the end of an outage to the last item. */
  after: number;
}

const KEYS: readonly (keyof Figures)[] = [
  "ratio",
  "waste",
  "lost",
  "unfinished",
  "early",
  "p99",
  "cpu",
  "probes",
  "after",
];

/** Reads the figures of one run. */
export function readFigures(
  row: Row,
  outcome: Outcome,
  usedUpAt: number,
): Figures {
  const { start, end, sent, took, lost, unfinished, cpu } = outcome;
  const first = sent[0]?.at ?? start;
  const accepted = sent.filter(({ status }) => status === 200);
  const latency = accepted.reduce(
        (sum, { at, answeredAt }) => sum + answeredAt! - at,
        0,
      ) / accepted.length || 0;
  const best = bestSeconds(
    row.slots(first, usedUpAt),
    Math.min(row.workers, row.atOnce),
    latency,
  );
  const { outage } = row.server.kind === "limit" ? row.server : {};
  const over = first + (outage ? outage.from + outage.seconds : 0);
  return {
    ratio: (end - start) / best,
    waste: 100 * (1 - accepted.length / sent.length) || 0,
    lost: Object.values(lost).reduce((sum, count) => sum + count, 0),
    unfinished,
    early: countEarly(outcome),
    p99: took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] ??
      Infinity,
    cpu,
    probes: outage
      ? sent.filter(({ at }) => at > first + outage.from + 2 && at < over)
        .length
      : 0,
    after: outage ? end - over : 0,
  };
}

/**
 * Requests sent before a time that was named: to anybody by a 429 or a 403, to
 * the same item by a 503. The server counts from some instant after the refused
 * request was sent, so that what is counted is early by any clock.
 */
function countEarly({ sent }: Outcome): number {
  const millisecond = 0.001;
  // What comes in the same turn of the event loop cannot be heeded yet.
  const turn = 5 * millisecond;
  const named = sent
    .filter(({ retryAfter, answeredAt }) => retryAfter > 0 && answeredAt)
    .sort((a, b) => a.answeredAt! - b.answeredAt!);
  let next = 0;
  let all = 0;
  const own = new Map<number, number>();
  let early = 0;
  for (const { item, at } of sent) {
    for (
      ;
      next < named.length && named[next]!.answeredAt! + turn < at;
      next++
    ) {
      const refused = named[next]!;
      const until = refused.at + refused.retryAfter - millisecond;
      if (refused.status === 503) own.set(refused.item, until);
      else all = Math.max(all, until);
    }
    if (at < Math.max(all, own.get(item) ?? 0)) early++;
  }
  return early;
}

/** The medians of several runs. */
export function typical(runs: readonly Figures[]): Figures {
  return combine(runs, (values) => {
    const sorted = values.toSorted((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  });
}

/** The worst of several runs, figure by figure. */
export function worst(runs: readonly Figures[]): Figures {
  return combine(runs, (values) => Math.max(...values));
}

function combine(
  runs: readonly Figures[],
  one: (values: number[]) => number,
): Figures {
  return Object.fromEntries(
    KEYS.map((key) => [key, one(runs.map((run) => run[key]))]),
  ) as unknown as Figures;
}

/** What of the goal was missed, in the words of the table; empty if nothing. */
export function missed(goal: Goal, runs: readonly Figures[]): string[] {
  const middle = typical(runs);
  const most = worst(runs);
  const checks: [string, number, number | undefined, number][] = [
    ["stuck", most.unfinished, 0, 0],
    ["lost", most.lost, 0, 0],
    ["early", most.early, 0, 0],
    ["ratio", middle.ratio, goal.ratio, 2],
    ["worst", most.ratio, goal.worstRatio, 2],
    ["refused", middle.waste, goal.waste, 1],
    ["after", most.after, goal.after, 1],
    ["probes", most.probes, goal.probes, 0],
  ];
  // Compared as they are printed.
  return checks
    .filter(([, value, limit = Infinity, digits]) =>
      Number(value.toFixed(digits)) > limit
    )
    .map(([name]) => name);
}

/** The goal as the table shows it. */
export function showGoal(goal: Goal): string {
  const parts: string[] = [];
  if (goal.ratio) parts.push(goal.ratio.toFixed(2));
  if (goal.waste !== undefined) parts.push(`${goal.waste} %`);
  if (goal.worstRatio) parts.push(`worst ${goal.worstRatio.toFixed(2)}`);
  if (goal.after) parts.push(`${goal.after} s after`);
  if (goal.probes) parts.push(`${goal.probes} probes`);
  return `<= ${parts.join(", ")}`;
}
