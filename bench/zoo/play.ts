/**
 * Plays a client on a server, and measures what comes of it.
 *
 * @module
 */

import {
  ensureOk,
  HttpError,
  RateLimiter,
  retryWithBackoff,
} from "../../mod.ts";
import { Clock, install, settle } from "./clock.ts";
import { type Draw, Random } from "./draw.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle.ts";

/** Who plays: the product, it without a limiter, or who is told everything. */
export type Client = "product" | "plain" | "oracle";

export type Stuck = "silent" | "slow" | "runaway" | "dead";

/** What came of a job. */
export interface Result {
  readonly seed: number;
  /** Makespan by the best possible one; infinite if stuck. */
  readonly ratio: number;
  /** Requests refused by the limit, by all. */
  readonly waste: number;
  readonly sent: number;
  readonly refused: number;
  readonly lost: number;
  readonly early: number;
  readonly stuck: Stuck | undefined;
  readonly fine: boolean;
}

/** A moment of the run. */
export interface Moment {
  readonly time: number;
  readonly done: number;
  readonly lost: number;
  readonly sent: number;
  readonly refused: number;
  readonly waiting: number;
  readonly state: unknown;
}

/** Seconds without a request after which a client is silent. */
const SILENCE = 60;

/** Times the best possible makespan after which a client is slow. */
const SLOW = 20;

export async function play(
  draw: Draw,
  client: Client,
  watch?: { every: number; look: (moment: Moment) => void },
): Promise<Result> {
  const clock = new Clock();
  const random = new Random(draw.seed ^ 0x51ed270b);
  const uninstall = install(clock, random);
  const network = new Network(clock, draw, random.fork());
  const realFetch = globalThis.fetch;
  globalThis.fetch = network.fetch as typeof fetch;
  try {
    const job = new Job(draw, client, clock);
    job.start();
    await settle();
    const stuck = await run(job, network, clock, draw, watch);
    return resultOf(draw, job, network, stuck);
  } finally {
    globalThis.fetch = realFetch;
    uninstall();
  }
}

async function run(
  job: Job,
  network: Network,
  clock: Clock,
  { best, items }: Draw,
  watch: { every: number; look: (moment: Moment) => void } | undefined,
): Promise<Stuck | undefined> {
  const mostRequests = 25 * items + 20_000;
  let look = 0;
  while (!job.finished) {
    const event = clock.next();
    if (event === undefined) return "dead";
    for (; watch && look <= clock.now; look += watch.every) {
      watch.look(job.moment(look, network));
    }
    const { underWay, lastAction, named } = network;
    const since = Math.max(lastAction, named);
    if (underWay === 0 && clock.now > since + SILENCE) return "silent";
    if (clock.now > SLOW * best) return "slow";
    if (network.sent > mostRequests) return "runaway";
    event.act!();
    await settle();
  }
  return undefined;
}

function resultOf(
  { seed, best, items }: Draw,
  { lost, end }: Job,
  { sent, refused, early }: Network,
  stuck: Stuck | undefined,
): Result {
  const ratio = stuck ? Infinity : end / best + lost / items;
  const waste = sent === 0 ? 0 : refused / sent;
  const fine = !stuck && lost === 0 && ratio <= 1.2 && waste <= 0.05;
  return { seed, ratio, waste, sent, refused, lost, early, stuck, fine };
}

/** The items, and the workers that take them. */
class Job {
  done = 0;
  lost = 0;
  /** When the last item was done. */
  end = 0;
  readonly #draw: Draw;
  readonly #clock: Clock;
  readonly #limiter: RateLimiter | undefined;
  readonly #call: (item: number) => Promise<void>;
  #taken = 0;

  constructor(draw: Draw, client: Client, clock: Clock) {
    this.#draw = draw;
    this.#clock = clock;
    this.#limiter = client === "product" ? new RateLimiter() : undefined;
    const oracle = new Oracle(draw, clock);
    this.#call = client === "oracle"
      ? (item) => oracle.send(item)
      : draw.parsed
      ? this.#parsed
      : this.#returned;
  }

  start(): void {
    for (let worker = 0; worker < this.#draw.workers; worker++) {
      // A worker catches what its items throw.
      void this.#work();
    }
  }

  get finished(): boolean {
    return this.done + this.lost === this.#draw.items;
  }

  moment(time: number, { sent, refused, underWay }: Network): Moment {
    const { done, lost } = this;
    const waiting = this.#taken - done - lost - underWay;
    const limiter = this.#limiter as { state?: unknown } | undefined;
    const state = limiter?.state;
    return { time, done, lost, sent, refused, waiting, state };
  }

  async #work(): Promise<void> {
    while (this.#taken < this.#draw.items) {
      const item = this.#taken++;
      try {
        await this.#call(item);
        this.done++;
      } catch (error) {
        if (isBug(error)) console.error(this.#draw.seed, error);
        this.lost++;
      }
      this.end = this.#clock.now;
    }
  }

  get #options() {
    const { attemptTimeout } = this.#draw;
    return { limiter: this.#limiter, attemptTimeout };
  }

  /** The `Response` goes back to the product, which reads it. */
  readonly #returned = async (item: number): Promise<void> => {
    const url = urlOf(item);
    await retryWithBackoff(
      ({ signal }) => fetch(url, { signal }),
      this.#options,
    );
  };

  /** The product sees what the function makes of the `Response`. */
  readonly #parsed = async (item: number): Promise<void> => {
    const url = urlOf(item);
    await retryWithBackoff(async (attempt) => {
      const own = (attempt as { fetch?: typeof fetch }).fetch ?? fetch;
      const response = await own(url, { signal: attempt.signal });
      ensureOk(response);
      return 1;
    }, this.#options);
  };
}

/** Whether an item was lost by something else than the server. */
function isBug(error: unknown): boolean {
  if (error instanceof HttpError) return false;
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return false;
  }
  if (error instanceof Error && error.name === "RateLimitError") return false;
  return !(error instanceof TypeError && error.message === "fetch failed");
}

function urlOf(item: number): string {
  return `http://zoo.test/${item}`;
}
