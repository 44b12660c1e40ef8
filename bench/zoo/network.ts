/**
 * A server and the way to it, in the place of `fetch`.
 *
 * @module
 */

import { faultOf, resourceOf } from "./best.ts";
import type { Clock } from "./clock.ts";
import type { Draw, Outage, Random } from "./draw.ts";
import type { Limit } from "./limits.ts";
import { dateHeader, tell, type Told } from "./tells.ts";

/** A refusal comes sooner than what was asked for: this share of the time. */
const REFUSAL_SHARE = 0.05;

/** What `early` forgives, in seconds. */
const FORGIVEN = 0.002;

/** Tells the oracle that it was not the limit. */
export const FAULT = "x-zoo-fault";

/** Rounding errors of times, in seconds. */
const TINY = 1e-9;

/** What comes back, and what it means to the client. */
interface Reply {
  readonly status: number;
  readonly headers: [string, string][];
  readonly refusal?: Told;
  readonly retryAfter: number;
}

export class Network {
  sent = 0;
  refused = 0;
  /** Sent although the client knew that it was too early. */
  early = 0;
  underWay = 0;
  /** When a request was sent, or an answer came, for the last time. */
  lastAction = 0;
  /** Until when the server asked to wait, whatever for. */
  named = 0;
  readonly #clock: Clock;
  readonly #draw: Draw;
  readonly #random: Random;
  readonly #limits: Limit[];
  readonly #holds: number[];
  readonly #passed = new Map<number, number>();
  #busy = 0;

  constructor(clock: Clock, draw: Draw, random: Random) {
    this.#clock = clock;
    this.#draw = draw;
    this.#random = random;
    this.#limits = draw.limits();
    this.#holds = this.#limits.map(() => 0);
  }

  /** In the place of `fetch`: the last part of the URL is the item's number. */
  readonly fetch = (
    url: string | URL | Request,
    init?: RequestInit,
  ): Promise<Response> =>
    new Promise((resolve, reject) => {
      const signal = init?.signal ?? undefined;
      if (signal?.aborted) throw signal.reason;
      const item = Number(String(url).slice(String(url).lastIndexOf("/") + 1));
      this.#count(item);
      const end = () => {
        signal?.removeEventListener("abort", abort);
        this.underWay--;
        this.lastAction = this.#clock.now;
      };
      let settled = false;
      const abort = () => {
        settled = true;
        end();
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#clock.at(this.#clock.now + this.#way(), () => {
        this.#arrive(item, (reply) => {
          if (settled) return;
          settled = true;
          end();
          if (reply instanceof Error) return reject(reply);
          this.#see(item, reply);
          resolve(
            new Response(null, {
              status: reply.status,
              headers: reply.headers,
            }),
          );
        });
      });
    });

  #count(item: number): void {
    this.sent++;
    this.underWay++;
    this.lastAction = this.#clock.now;
    const hold = this.#holds[this.#resource(item)]!;
    if (this.#clock.now < hold - FORGIVEN) this.early++;
  }

  #resource(item: number): number {
    return resourceOf(this.#draw.faults.seed, item, this.#limits.length);
  }

  #way(): number {
    const { latency, way, waySigma } = this.#draw.net;
    return latency * way / 2 * this.#random.around(waySigma);
  }

  #service(): number {
    const { latency, way, serviceSigma } = this.#draw.net;
    return latency * (1 - way) * this.#random.around(serviceSigma);
  }

  /** The server's part; `reply` is told what the client gets, when it is there. */
  #arrive(item: number, reply: (reply: Reply | Error) => void): void {
    const { outage, slots, faults, telling } = this.#draw;
    const { now } = this.#clock;
    const send = (after: number, answer: () => Reply | Error) =>
      this.#clock.at(now + after, () => {
        const content = answer();
        this.#clock.at(this.#clock.now + this.#way(), () => reply(content));
      });
    const dated = (headers: [string, string][]) =>
      telling.date
        ? [...headers, dateHeader(telling, this.#clock.now)]
        : headers;
    if (outage && now >= outage.from && now < outage.to) {
      if (outage.kind !== "timeouts") send(0, () => outageReply(outage));
      return;
    }
    const resource = this.#resource(item);
    const limit = this.#limits[resource]!;
    const free = this.#busy < slots;
    if (!free || limit.free(now) > now + TINY) {
      this.refused++;
      if (free) limit.refuse?.(now);
      const { status } = telling;
      const refusal = this.#tell(resource, true);
      const { headers, retryAfter } = refusal;
      send(this.#service() * REFUSAL_SHARE, () => {
        return { status, headers: dated(headers), refusal, retryAfter };
      });
      return;
    }
    const held = limit.delay?.(now) ?? 0;
    limit.take(now);
    this.#busy++;
    const { headers } = this.#tell(resource, false);
    const passed = this.#passed.get(item) ?? 0;
    this.#passed.set(item, passed + 1);
    const fault = faultOf(faults, item, passed);
    const stall = fault?.kind === "stall" ? fault.seconds : 0;
    send(held + this.#service() + stall, () => {
      this.#busy--;
      if (fault?.kind === "reset") return broken("ECONNRESET");
      if (fault?.kind !== "status") {
        return { status: 200, headers: dated(headers), retryAfter: 0 };
      }
      const { retryAfter } = faults;
      return { status: fault.status, headers: waiting(retryAfter), retryAfter };
    });
  }

  #tell(resource: number, refused: boolean): Told {
    const { telling } = this.#draw;
    const name = this.#limits.length > 1 ? `resource-${resource}` : undefined;
    const limit = this.#limits[resource]!;
    return tell(
      telling,
      limit,
      this.#clock.now,
      refused,
      name,
      this.#random,
    );
  }

  /** What the client knows from now on. */
  #see(item: number, { refusal, retryAfter }: Reply): void {
    const { now } = this.#clock;
    this.named = Math.max(this.named, now + retryAfter);
    if (!refusal) return;
    const resource = this.#resource(item);
    const hold = Math.max(now + refusal.retryAfter, refusal.until);
    if (hold > now) {
      this.#holds[resource] = Math.max(this.#holds[resource]!, hold);
    }
    this.named = Math.max(this.named, hold, now + refusal.reset);
  }
}

function outageReply({ kind, retryAfter }: Outage): Reply | Error {
  if (kind === "refused") return broken("ECONNREFUSED");
  const asked = kind === "503" ? 0 : retryAfter;
  return { status: 503, headers: waiting(asked), retryAfter: asked };
}

function waiting(seconds: number): [string, string][] {
  const fault: [string, string] = [FAULT, "1"];
  return seconds === 0 ? [fault] : [fault, ["retry-after", String(seconds)]];
}

function broken(code: string): TypeError {
  return new TypeError("fetch failed", {
    cause: Object.assign(new Error(code), { code }),
  });
}
