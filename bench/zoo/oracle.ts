/**
 * The client that is told everything, and goes by it without looking back: what
 * the arithmetic of the best possible makespan is worth on a real network.
 *
 * @module
 */

import { Plan, resourceOf } from "./best.ts";
import type { Clock } from "./clock.ts";
import type { Draw } from "./draw.ts";
import type { Limit } from "./limits.ts";
import { FAULT } from "./network.ts";

/** Seconds until it sends again what was refused. */
const PAUSE = 0.02;

/** Who waits to send, and whether a time is planned for the first of them. */
interface Line {
  readonly waiting: (() => void)[];
  planned: boolean;
}

export class Oracle {
  readonly #draw: Draw;
  readonly #clock: Clock;
  readonly #limits: Limit[];
  readonly #plan: Plan;
  readonly #lines: Line[];

  constructor(draw: Draw, clock: Clock) {
    const { net, slots, outage } = draw;
    this.#draw = draw;
    this.#clock = clock;
    this.#limits = draw.limits();
    const service = net.latency * (1 - net.way);
    this.#plan = new Plan(this.#limits, slots, service, outage);
    this.#lines = this.#limits.map(() => ({ waiting: [], planned: false }));
  }

  async send(item: number): Promise<void> {
    const { faults, attemptTimeout } = this.#draw;
    const resource = resourceOf(faults.seed, item, this.#limits.length);
    const limit = this.#limits[resource]!;
    await this.#turn(resource);
    for (;;) {
      const answer = await once(`http://zoo.test/${item}`, attemptTimeout);
      if (answer === "ok") return;
      if (answer === "refused") await this.#sleep(PAUSE);
      // Where refusals count, the plan counts them as well, and is asked again.
      if (answer === "refused") limit.refuse?.(this.#clock.now);
      if (answer === "fault" || limit.refuse) await this.#turn(resource, true);
    }
  }

  #turn(resource: number, again = false): Promise<void> {
    return new Promise((resolve) => {
      const { waiting } = this.#lines[resource]!;
      if (again) waiting.unshift(resolve);
      else waiting.push(resolve);
      this.#planNext(resource);
    });
  }

  #planNext(resource: number): void {
    const line = this.#lines[resource]!;
    if (line.planned || line.waiting.length === 0) return;
    line.planned = true;
    const { sent } = this.#plan.next(this.#clock.now, resource);
    this.#clock.at(sent, () => {
      line.planned = false;
      line.waiting.shift()!();
      this.#planNext(resource);
    });
  }

  /** Exact, as this is no client of this world. */
  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) =>
      void this.#clock.at(this.#clock.now + seconds, resolve)
    );
  }
}

/** One request, and whether it was the limit that refused it. */
async function once(
  url: string,
  seconds: number | undefined,
): Promise<"ok" | "fault" | "refused"> {
  const controller = new AbortController();
  const timer = seconds === undefined
    ? undefined
    : setTimeout(() => controller.abort(), seconds * 1000);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (response.ok) return "ok";
    return response.headers.has(FAULT) ? "fault" : "refused";
  } catch {
    // A connection that broke, or a timeout.
    return "fault";
  } finally {
    clearTimeout(timer);
  }
}
