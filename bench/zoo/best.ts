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

/** The earliest of a number of times, which is then replaced by a later one. */
class Earliest {
  readonly #times: number[];

  constructor(count: number) {
    this.#times = new Array(count).fill(0);
  }

  get first(): number {
    return this.#times[0]!;
  }

  replaceFirst(time: number): void {
    const times = this.#times;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= times.length) break;
      if (child + 1 < times.length && times[child + 1]! < times[child]!) {
        child++;
      }
      if (times[child]! >= time) break;
      times[place] = times[child]!;
      place = child;
    }
    times[place] = time;
  }
}

/** When requests may go at the earliest, one after the other. */
export class Plan {
  readonly #limits: readonly Limit[];
  readonly #last: number[];
  readonly #outage: Outage | undefined;
  readonly #slots: Earliest | undefined;
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
    this.#slots = slots === Infinity ? undefined : new Earliest(slots);
    this.#service = service;
  }

  /** Plans a request as early as `time` lets it; the time it goes, and is held up. */
  next(time: number, resource: number): { sent: number; held: number } {
    const limit = this.#limits[resource]!;
    let sent = Math.max(time, this.#last[resource]!, this.#slots?.first ?? 0);
    for (let before = -1; before !== sent;) {
      before = sent;
      sent = limit.free(sent);
      const outage = this.#outage;
      if (outage && sent >= outage.from && sent < outage.to) sent = outage.to;
    }
    const held = limit.delay?.(sent) ?? 0;
    limit.take(sent);
    this.#last[resource] = sent;
    this.#slots?.replaceFirst(sent + held + this.#service);
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

/** The seconds that the best client needs for a job. */
export function bestMakespan(job: Job): number {
  const { limits, faults, latency, attemptTimeout = Infinity } = job;
  const plan = new Plan(limits, job.slots, job.service, job.outage);
  const workers = new Earliest(Math.min(job.workers, job.items));
  let makespan = 0;
  for (let item = 0; item < job.items; item++) {
    const resource = resourceOf(faults.seed, item, limits.length);
    let time = workers.first;
    for (let passed = 0;; passed++) {
      const { sent, held } = plan.next(time, resource);
      const fault = faultOf(faults, item, passed);
      const stall = fault?.kind === "stall" ? fault.seconds : 0;
      time = sent + Math.min(held + latency + stall, attemptTimeout);
      if (!fault || stall > 0 && stall + latency <= attemptTimeout) break;
    }
    workers.replaceFirst(time);
    makespan = Math.max(makespan, time);
  }
  return makespan;
}
