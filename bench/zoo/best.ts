/**
 * The best possible makespan of a job: what a client would need that knows all,
 * with the mean latency and the same number of workers.
 *
 * @module
 */

import { faultOf, resourceOf, type Scene } from "./draw.ts";
import { Heap } from "./heap.ts";
import { type Limit, WithOutage } from "./limits.ts";

export interface Best {
  items: number;
  /** Seconds from the start until the last answer is there. */
  makespan: number;
  /** When each request of each item reaches the server. */
  arrivals: number[][];
}

interface Worker {
  /** When its next request can reach the server. */
  at: number;
  order: number;
  item: number | undefined;
  attempt: number;
}

/** The limits of a scene, new, with the outage that it may have. */
export function limitsOf({ limits, outage }: Scene): Limit[] {
  if (!outage) return limits();
  return limits().map((limit) =>
    new WithOutage(limit, outage.begin, outage.end)
  );
}

/** Plays `scene.items` items, or as many of them as are done by `until`. */
export function best(scene: Scene, until = Infinity): Best {
  const { way, service } = scene.network;
  const limits = limitsOf(scene);
  const lastSent = limits.map(() => 0);
  const arrivals: number[][] = [];
  const workers = new Heap<Worker>();
  for (let order = 0; order < scene.workers; order++) {
    workers.push({ at: way, order, item: undefined, attempt: 0 });
  }
  let order = scene.workers;
  let given = 0;
  let items = 0;
  let makespan = 0;
  for (;;) {
    const worker = workers.pop();
    if (!worker) break;
    if (worker.item === undefined) {
      if (given === scene.items) continue;
      worker.item = given++;
      worker.attempt = 0;
    }
    const resource = resourceOf(scene, worker.item, limits.length);
    const limit = limits[resource]!;
    const at = limit.free(Math.max(worker.at, lastSent[resource]!));
    lastSent[resource] = at;
    (arrivals[worker.item] ??= [])[worker.attempt] = at;
    const served = limit.accept(at, service);
    const fault = faultOf(scene, worker.item, worker.attempt);
    let answered = served + service + way;
    let failed = fault !== undefined;
    if (fault?.kind === "stall") {
      const timeout = scene.attemptTimeout!;
      failed = answered + fault.seconds - at + way > timeout;
      answered = failed ? at - way + timeout : answered + fault.seconds;
    }
    if (failed) {
      worker.attempt++;
    } else {
      if (answered > until) break;
      worker.item = undefined;
      items++;
      makespan = Math.max(makespan, answered);
    }
    worker.at = answered + way;
    worker.order = order++;
    workers.push(worker);
  }
  return { items, makespan, arrivals };
}
