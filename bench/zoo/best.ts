/**
 * The best possible makespan: each item goes as early as the limit lets it.
 *
 * @module
 */

import type { Outage } from "./draw.ts";
import type { Limit } from "./limits.ts";

/** What goes wrong apart from the limit, the same for every client. */
export interface Faults {
  readonly seed: number;
  /** The share of requests that fail. */
  readonly share: number;
  /** The share of these that hang for up to 50 s. */
  readonly stalls: number;
  /** What half the servers ask for then; 0 is nothing. */
  readonly retryAfter: number;
}

export type Fault =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "reset" }
  | { readonly kind: "stall"; readonly seconds: number };

const LONGEST_STALL = 50;

/** No item fails more often than that, so that the retries can be enough. */
const MOST_FAULTS = 2;

/** What goes wrong with an item the nth time that the limit lets it pass. */
export function faultOf(
  { seed, share, stalls }: Faults,
  item: number,
  passed: number,
): Fault | undefined {
  if (share === 0 || passed >= MOST_FAULTS) return undefined;
  const place = item * MOST_FAULTS + passed;
  if (hash(seed, 3 * place) >= share) return undefined;
  const kind = hash(seed, 3 * place + 1);
  const more = hash(seed, 3 * place + 2);
  if (kind < stalls) return { kind: "stall", seconds: LONGEST_STALL * more };
  if (kind < stalls + (1 - stalls) * 0.75) {
    return { kind: "status", status: more < 0.5 ? 503 : 504 };
  }
  return { kind: "reset" };
}

/** Which resource an item needs. */
export function resourceOf(seed: number, item: number, count: number): number {
  return count === 1 ? 0 : Math.floor(hash(seed ^ 0x2545f491, item) * count);
}

function hash(seed: number, place: number): number {
  let bits = seed ^ Math.imul(place + 1, 0x9e3779b1);
  bits = Math.imul(bits ^ bits >>> 16, 0x85ebca6b);
  bits = Math.imul(bits ^ bits >>> 13, 0xc2b2ae35);
  return ((bits ^ bits >>> 16) >>> 0) / 2 ** 32;
}

/** Things by the time at which they are free again, the earliest first. */
class Earliest<T extends { readonly time: number }> {
  readonly #heap: T[];

  constructor(count: number, first: T) {
    this.#heap = new Array(count).fill(first);
  }

  get first(): T {
    return this.#heap[0]!;
  }

  replaceFirst(thing: T): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const other = heap[child + 1];
      if (other !== undefined && other.time < heap[child]!.time) child++;
      if (heap[child]!.time >= thing.time) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = thing;
  }
}

/** When requests may go at the earliest, one after the other. */
export class Plan {
  readonly #limits: readonly Limit[];
  readonly #last: number[];
  readonly #outage: Outage | undefined;
  readonly #slots: Earliest<{ time: number }> | undefined;
  readonly #service: number;

  constructor(
    limits: readonly Limit[],
    slots: number,
    service: number,
    outage: Outage | undefined,
  ) {
    this.#limits = limits;
    this.#last = limits.map(() => 0);
    this.#outage = outage;
    this.#slots = slots === Infinity
      ? undefined
      : new Earliest(slots, { time: 0 });
    this.#service = service;
  }

  /** Plans a request as early as `time` lets it; the time it goes, and is held up. */
  next(time: number, resource: number): { sent: number; held: number } {
    const limit = this.#limits[resource]!;
    let sent = Math.max(
      time,
      this.#last[resource]!,
      this.#slots?.first.time ?? 0,
    );
    for (let before = -1; before !== sent;) {
      before = sent;
      sent = limit.free(sent);
      const outage = this.#outage;
      if (outage && sent >= outage.from && sent < outage.to) sent = outage.to;
    }
    const held = limit.delay?.(sent) ?? 0;
    limit.take(sent);
    this.#last[resource] = sent;
    this.#slots?.replaceFirst({ time: sent + held + this.#service });
    return { sent, held };
  }
}

interface Job {
  readonly limits: readonly Limit[];
  readonly slots: number;
  readonly latency: number;
  readonly service: number;
  readonly outage: Outage | undefined;
  readonly faults: Faults;
  readonly workers: number;
  readonly attemptTimeout: number | undefined;
  readonly items: number;
}

/** When a worker is free, and the item that it has to send again then. */
interface Hand {
  readonly time: number;
  readonly item?: number;
  readonly passed?: number;
}

/** The seconds that the best client needs for a job. */
export function bestMakespan(job: Job): number {
  const { limits, faults, latency, items, attemptTimeout = Infinity } = job;
  const plan = new Plan(limits, job.slots, job.service, job.outage);
  const count = Math.min(job.workers, items);
  const hands = new Earliest<Hand>(count, { time: 0 });
  let taken = 0;
  let left = items;
  let makespan = 0;
  while (left > 0) {
    const hand = hands.first;
    if (hand.item === undefined && taken === items) {
      hands.replaceFirst({ time: Infinity });
      continue;
    }
    const item = hand.item ?? taken++;
    const passed = hand.passed ?? 0;
    const resource = resourceOf(faults.seed, item, limits.length);
    const { sent, held } = plan.next(hand.time, resource);
    const fault = faultOf(faults, item, passed);
    const stall = fault?.kind === "stall" ? fault.seconds : 0;
    const answer = held + latency + stall;
    const time = sent + Math.min(answer, attemptTimeout);
    if (!fault || stall > 0 && answer <= attemptTimeout) {
      left--;
      makespan = Math.max(makespan, time);
      hands.replaceFirst({ time });
    } else hands.replaceFirst({ time, item, passed: passed + 1 });
  }
  return makespan;
}
