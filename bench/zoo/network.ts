/**
 * The simulated network and server behind `fetch`: answers come late, overtake
 * each other, fail, or never come; the limit refuses.
 *
 * @module
 */

import { limitsOf } from "./best.ts";
import type { VirtualClock } from "./clock.ts";
import { faultOf, resourceOf, type Scene } from "./draw.ts";
import { type Limit, WithOutage } from "./limits.ts";
import { logNormal, type Random, stream } from "./random.ts";
import { tell, type Told } from "./tells.ts";

/** A refusal takes this share of what a served request takes. */
const REFUSAL_TIME = 0.05;
/** How much earlier than named a request may go, in seconds: clocks tick in ms. */
const EARLY = 0.002;

/** What was counted. */
export interface Tally {
  sent: number;
  accepted: number;
  /** By the limit. */
  refused: number;
  /** Sent before a `Retry-After` of a refusal was over that had come. */
  early: number;
  underWay: number;
  /** When the last request was sent, or answered. */
  lastActivity: number;
  /** The latest instant that an answer named as the end of a wait. */
  namedUntil: number;
}

const ORIGIN = "http://zoo.invalid/";

export function urlOf(item: number): string {
  return ORIGIN + item;
}

export class Network {
  readonly tally: Tally = {
    sent: 0,
    accepted: 0,
    refused: 0,
    early: 0,
    underWay: 0,
    lastActivity: 0,
    namedUntil: 0,
  };
  readonly #scene: Scene;
  readonly #clock: VirtualClock;
  readonly #limits: Limit[];
  /** Of each resource, until when its refusals asked to wait. */
  readonly #notBefore: number[];
  /** Of each item, how many of its requests passed the limit. */
  readonly #attempts: number[] = [];
  readonly #ways: Random;
  readonly #services: Random;
  readonly #tells: Random;

  constructor(scene: Scene, clock: VirtualClock) {
    this.#scene = scene;
    this.#clock = clock;
    this.#limits = limitsOf(scene);
    this.#notBefore = this.#limits.map(() => 0);
    this.#ways = stream(scene.seed, 10);
    this.#services = stream(scene.seed, 11);
    this.#tells = stream(scene.seed, 12);
  }

  /** Takes the place of `fetch`. */
  readonly fetch = (
    input: RequestInfo | URL,
    init?: RequestInit,
  ): Promise<Response> => {
    const request = input instanceof Request ? input : undefined;
    const signal = init?.signal ?? request?.signal;
    const item = Number((request?.url ?? String(input)).slice(ORIGIN.length));
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const exchange = new Exchange(this.tally, this.#clock, {
        resolve,
        reject,
        signal,
      });
      this.#send(item, exchange);
    });
  };

  /** Seconds until a request for an item would pass, for who knows all. */
  waitOf(item: number): number {
    const { now } = this.#clock;
    const resource = resourceOf(this.#scene, item, this.#limits.length);
    return this.#limits[resource]!.free(now) - now;
  }

  #send(item: number, exchange: Exchange): void {
    const { tally } = this;
    const { now } = this.#clock;
    const resource = resourceOf(this.#scene, item, this.#limits.length);
    tally.sent++;
    tally.underWay++;
    tally.lastActivity = now;
    if (now < this.#notBefore[resource]! - EARLY) tally.early++;
    this.#clock.plan(
      now + this.#way(),
      () => this.#arrive(item, resource, exchange),
    );
  }

  #arrive(item: number, resource: number, exchange: Exchange): void {
    const { tally } = this;
    const { now } = this.#clock;
    const limit = this.#limits[resource]!;
    const { network } = this.#scene;
    const service = logNormal(
      this.#services,
      network.service,
      network.serviceSigma,
    );
    if (limit instanceof WithOutage && limit.isDown(now)) {
      return this.#fail(now + service * REFUSAL_TIME, exchange);
    }
    if (limit.free(now) > now) {
      tally.refused++;
      limit.refuse(now);
      return this.#refuse(
        now + service * REFUSAL_TIME,
        limit,
        resource,
        exchange,
      );
    }
    tally.accepted++;
    const served = limit.accept(now, service);
    const attempt = this.#attempts[item] ?? 0;
    this.#attempts[item] = attempt + 1;
    const fault = faultOf(this.#scene, item, attempt);
    const answered = served + service;
    switch (fault?.kind) {
      case undefined:
      case "stall": {
        const { headers, until } = this.#tell(limit, resource, false);
        const late = fault?.seconds ?? 0;
        return this.#answer(answered + late, exchange, 200, headers, until);
      }
      case "status": {
        const headers: [string, string][] = this.#scene.faults!.retryAfter
          ? [["retry-after", "1"]]
          : [];
        return this.#answer(
          answered,
          exchange,
          fault.status,
          headers,
          answered + 1,
        );
      }
      case "reset":
        return this.#break(answered, exchange, "ECONNRESET");
    }
  }

  #refuse(
    at: number,
    limit: Limit,
    resource: number,
    exchange: Exchange,
  ): void {
    const told = this.#tell(limit, resource, true);
    const { status } = this.#scene;
    this.#answer(at, exchange, status, told.headers, told.until, () => {
      const { now } = this.#clock;
      const due = told.retryAt ??
        (told.retryAfter === undefined ? 0 : now + told.retryAfter);
      this.#notBefore[resource] = Math.max(this.#notBefore[resource]!, due);
    });
  }

  #tell(limit: Limit, resource: number, refused: boolean): Told {
    const { now, epoch } = this.#clock;
    return tell(this.#scene, limit.quota(now), {
      now,
      clock: epoch + (now + this.#scene.clockAhead) * 1000,
      wait: refused ? Math.max(0, limit.free(now) - now) : 0,
      refused,
      passed: this.tally.accepted,
      resource: this.#limits.length > 1 ? `r${resource}` : undefined,
      random: this.#tells,
    });
  }

  /** What an outage does to a request. */
  #fail(at: number, exchange: Exchange): void {
    const { kind, retryAfter } = this.#scene.outage!;
    switch (kind) {
      case "503":
        return this.#answer(at, exchange, 503, [], at);
      case "503 + retry-after": {
        const headers: [string, string][] = [
          ["retry-after", String(retryAfter)],
        ];
        return this.#answer(at, exchange, 503, headers, at + retryAfter + 1);
      }
      case "refused":
        return this.#break(at, exchange, "ECONNREFUSED");
      case "timeouts":
        return;
    }
  }

  #answer(
    at: number,
    exchange: Exchange,
    status: number,
    headers: [string, string][],
    until: number,
    seen?: () => void,
  ): void {
    this.#clock.plan(at + this.#way(), () => {
      if (!exchange.end()) return;
      this.tally.namedUntil = Math.max(this.tally.namedUntil, until);
      seen?.();
      exchange.resolve(new Response(null, { status, headers }));
    }, true);
  }

  #break(at: number, exchange: Exchange, code: string): void {
    this.#clock.plan(at + this.#way(), () => {
      if (!exchange.end()) return;
      const cause = Object.assign(new Error(code), { code });
      exchange.reject(new TypeError("fetch failed", { cause }));
    }, true);
  }

  #way(): number {
    const { way, waySigma } = this.#scene.network;
    return logNormal(this.#ways, way, waySigma);
  }
}

/** One request that is under way, until it is answered or given up. */
class Exchange {
  readonly resolve: (response: Response) => void;
  readonly reject: (reason: unknown) => void;
  readonly #tally: Tally;
  readonly #clock: VirtualClock;
  readonly #signal: AbortSignal | undefined;
  #ended = false;

  constructor(
    tally: Tally,
    clock: VirtualClock,
    { resolve, reject, signal }: {
      resolve: (response: Response) => void;
      reject: (reason: unknown) => void;
      signal: AbortSignal | undefined;
    },
  ) {
    this.#tally = tally;
    this.#clock = clock;
    this.resolve = resolve;
    this.reject = reject;
    this.#signal = signal;
    signal?.addEventListener("abort", this);
  }

  /** Whether it was still under way. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#tally.underWay--;
    this.#tally.lastActivity = this.#clock.now;
    this.#signal?.removeEventListener("abort", this);
    return true;
  }

  handleEvent(): void {
    if (this.end()) this.reject(this.#signal!.reason);
  }
}
