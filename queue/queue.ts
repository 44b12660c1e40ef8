/**
 * The queue of a rate limiter: first come, first served, one timer for the next
 * request, and what ends the waiting.
 *
 * @module
 */

import {
  type FailureKind,
  isRateLimit,
  isResponse,
  readFailure,
} from "../http/failure.ts";
import { type DialectRow, readDelay, readLimits } from "../http/dialects.ts";
import { type HeadersLike, toHeaders } from "../http/headers.ts";
import { RateLimitError } from "../http_error.ts";
import { advance, learn, passBy, send, waitTime } from "../limiter/learner.ts";
import {
  givenServer,
  type Model,
  type Outcome,
  type Permit,
  unknownServer,
  type Verdict,
} from "../limiter/model.ts";
import { quotaWait } from "../limiter/quota.ts";
import { SlidingLog } from "../limiter/sliding_log.ts";
import {
  type Abortable,
  Alarm,
  offAbort,
  onAbort,
  type Wakeable,
} from "../time/sleep.ts";
import type { LimiterEvent } from "./events.ts";
import type { RateLimiterState } from "./state.ts";

/** What an attempt came to: an answer, or how it failed without one. */
export interface Result {
  readonly status?: number | undefined;
  readonly headers?: HeadersLike | null | undefined;
  readonly kind?: FailureKind | undefined;
  /** Seconds that a client says to wait, where no header does. */
  readonly retryAfter?: number | undefined;
  readonly error?: unknown;
}

/** The settings of a queue, checked. Times are in seconds. */
export interface QueueSettings {
  readonly given:
    | { readonly rate: number; readonly burst: number }
    | { readonly limit: number; readonly window: number }
    | undefined;
  readonly maxConcurrent: number;
  readonly maxPause: number;
  readonly maxWait: number;
  readonly patience: number;
  readonly refusalStatusCodes: readonly number[];
  readonly dialect: readonly DialectRow[] | undefined;
  readonly onEvent: ((event: LimiterEvent) => unknown) | undefined;
}

/** What somebody who waits may say. */
export interface Waiting {
  readonly signal?: AbortSignal | undefined;
  /** Seconds after which the turn would come too late. */
  readonly within?: number | undefined;
  /** Whether it had a turn before, and was refused. */
  readonly refused?: boolean;
}

/** Failures of the server or the network, which many at once make an outage. */
const SERVER_FAILURES = [502, 503, 504];
/** Seconds after which an unanswered request holds nobody back, at the least. */
const SILENCE = 1;
/** ... and at the most. */
const LONGEST_SILENCE = 30;
/** Seconds that an instant is exact to: an alarm for less rings at once. */
const PRECISION = 1e-6;
/** Seconds from which on a wait for a quota is a pause. */
const LONG_WAIT = 0.5;

/** Somebody in the queue: a link of a list, so that leaving it takes no search. */
class Waiter implements Abortable {
  before: Waiter | undefined;
  behind: Waiter | undefined;
  waits = true;
  readonly queue: Queue;
  readonly signal: AbortSignal | undefined;
  readonly latest: number;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (reason: unknown) => void;

  constructor(
    queue: Queue,
    signal: AbortSignal | undefined,
    latest: number,
    resolve: (turn: Turn) => void,
    reject: (reason: unknown) => void,
  ) {
    this.queue = queue;
    this.signal = signal;
    this.latest = latest;
    this.resolve = resolve;
    this.reject = reject;
  }

  abort(reason: unknown): void {
    this.queue.leave(this);
    this.reject(reason);
  }
}

/** A turn that was taken: one answer, and an end. */
export class Turn {
  readonly #queue: Queue;
  readonly permit: Permit;
  #ended = false;
  #answer: Result | undefined;
  /** Status of the last refusal that was observed. */
  #refusal: number | undefined;
  #verdict: Verdict | undefined;
  /** Whether it was given up as unanswered. */
  silent = false;

  constructor(queue: Queue, permit: Permit) {
    this.#queue = queue;
    this.permit = permit;
  }

  /** Whose matter its answer was; `own` where there was none. */
  get verdict(): Verdict {
    return this.#verdict ?? "own";
  }

  /**
   * Tells its answer. The first is the turn's; any other is that to a request
   * that took none. The same one told twice counts once.
   */
  observe(answer: Result): void {
    if (answer === this.#answer) return;
    if (answer.status! >= 400) this.#refusal = answer.status;
    const turnless = this.#ended || this.#answer !== undefined;
    this.#answer ??= answer;
    if (turnless) this.#queue.observe(answer);
    else this.#verdict = this.#queue.tell(this, answer);
  }

  /** Ends the turn; nothing is told where nobody knows what came of it. */
  release(result?: Result): Verdict {
    if (this.#ended) return this.verdict;
    this.#ended = true;
    if (this.#answer === undefined) {
      // A failure without an answer leaves room for the answer that is late.
      if (result?.status !== undefined) this.#answer = result;
      this.#verdict = this.#queue.tell(this, result);
    } else if (
      result?.status !== undefined && result.status >= 400 &&
      result.status !== this.#refusal
    ) {
      // A limit told in a body, or by a client that was not observed: who
      // waits for the limiter must have told it why.
      this.#verdict = this.#queue.observe(result);
    }
    this.#queue.end();
    return this.verdict;
  }

  /** Ends it with what the function returned. */
  returned(value: unknown): Verdict {
    return this.release(isResponse(value) ? value : ACCEPTED);
  }

  /** Ends it with what the function threw. */
  threw(error: unknown): Verdict {
    return this.release(readFailure(error));
  }
}

/** The queue. */
export class Queue implements Wakeable {
  readonly #settings: QueueSettings;
  readonly #log: SlidingLog | undefined;
  #model: Model;
  #underWay = 0;
  /** Turns without an answer that are not given up, oldest first. */
  readonly #unanswered = new Set<Turn>();
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #waiting = 0;
  /** Those of them who wait no longer than they said. */
  #impatientWaiters = 0;
  #alarm: Alarm | undefined;
  #accepted = 0;
  #refused = 0;
  /** Since when nothing has been accepted while no named time was due. */
  #troubleSince: number | undefined;
  #lastRefusal: unknown;
  /** Since when as many are under way as may be, and none has ended. */
  #fullSince: number | undefined;
  /** Since when nobody goes, where that was announced. */
  #pausedSince: number | undefined;

  constructor(settings: QueueSettings) {
    const { given, maxConcurrent } = settings;
    const now = Date.now() / 1000;
    this.#settings = settings;
    this.#model = given === undefined
      ? unknownServer(now)
      : "rate" in given
      ? givenServer(now, given.rate, given.burst)
      : givenServer(now, Infinity, Infinity);
    if (given && "limit" in given) {
      this.#log = new SlidingLog(given.limit, given.window);
    }
    // Who tells how many may go at once need not wait for the first answer.
    const { window } = this.#model.slowStart;
    if (window < maxConcurrent && maxConcurrent < Infinity) {
      this.#model = { ...this.#model, slowStart: { window: maxConcurrent } };
    }
  }

  /** Seconds until the next request may go, as far as that is known. */
  wait(): number {
    const seconds = this.#waitOf(this.#current());
    return seconds < Infinity ? seconds : 0;
  }

  /** What it is doing. */
  state(): RateLimiterState {
    const model = this.#current();
    const { circuit, bucket, quotas } = model;
    const seconds = this.wait();
    const held = seconds > 0;
    return Object.freeze({
      phase: phaseOf(model, seconds),
      rate: bucket.rate,
      inFlight: model.concurrency.limit,
      waiting: this.#waiting,
      underWay: this.#underWay,
      resumeAt: held ? new Date((model.now + seconds) * 1000) : undefined,
      reason: held || circuit.phase !== "flowing" ? reasonOf(model) : undefined,
      limits: Object.freeze(quotas.map((quota) =>
        Object.freeze({
          id: quota.id,
          limit: quota.limit,
          remaining: Math.max(0, Math.floor(quota.remaining)),
          resetAt: quota.resetAt === undefined
            ? undefined
            : new Date(quota.resetAt * 1000),
        })
      )),
      accepted: this.#accepted,
      refused: this.#refused,
    });
  }

  /** Whether an answer means "too fast" on this server. */
  refuses(status: number | undefined, headers: Headers | undefined): boolean {
    return status !== undefined &&
        this.#settings.refusalStatusCodes.includes(status) ||
      isRateLimit(status, headers);
  }

  /** A turn, if one is free. */
  tryAcquire(refused = false): Turn | undefined {
    if (!refused) this.#begin();
    if (this.#first || this.#underWay >= this.#settings.maxConcurrent) {
      return undefined;
    }
    return this.#seconds() === 0 ? this.#take() : undefined;
  }

  /** Where nobody wanted anything, nobody was patient. */
  #begin(): void {
    if (!this.#first && this.#underWay === 0) this.#troubleSince = undefined;
  }

  /** Waits for a turn, first come, first served. */
  acquire({ signal, within = Infinity, refused }: Waiting): Promise<Turn> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const now = Date.now() / 1000;
      if (!refused) this.#begin();
      // Whoever comes back with the refusal that was the last straw.
      else if (this.#isOutOfPatience(now)) {
        reject(this.#impatient());
        return;
      }
      const latest = now +
        Math.min(within, this.#settings.maxWait);
      const waiter = new Waiter(this, signal, latest, resolve, reject);
      waiter.before = this.#last;
      if (this.#last) this.#last.behind = waiter;
      else this.#first = waiter;
      this.#last = waiter;
      this.#waiting++;
      if (latest < Infinity) this.#impatientWaiters++;
      if (signal) onAbort(signal, waiter);
      // Whoever was there before is already waiting for the right moment.
      if (this.#first === waiter) this.wake();
      if (waiter.waits) this.#turnAway(waiter);
    });
  }

  /** Learns from a request that took no turn. */
  observe(result: Result): Verdict {
    const [model, permit] = passBy(this.#model, Date.now() / 1000);
    this.#model = model;
    const verdict = this.#learn(permit, result);
    this.wake();
    return verdict;
  }

  /** Learns what came of a turn. */
  tell(turn: Turn, result: Result | undefined): Verdict {
    this.#unanswered.delete(turn);
    if (turn.silent) {
      this.#model = { ...this.#model, inFlight: this.#model.inFlight + 1 };
    }
    const verdict = this.#learn(turn.permit, result);
    this.wake();
    return verdict;
  }

  /** A turn is over: another may be under way. */
  end(): void {
    this.#underWay--;
    this.#fullSince = undefined;
    this.wake();
  }

  leave(waiter: Waiter): void {
    const { before, behind, signal } = waiter;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    this.#waiting--;
    if (waiter.latest < Infinity) this.#impatientWaiters--;
    waiter.waits = false;
    if (signal) offAbort(signal, waiter);
    if (!this.#first) this.#alarm?.cancel();
  }

  /** Lets go whoever may go now, and sets the alarm for the next. */
  wake(): void {
    this.#alarm?.cancel();
    while (this.#first && this.#underWay < this.#settings.maxConcurrent) {
      const seconds = this.#seconds();
      if (seconds > 0) {
        // First: whoever is told may leave, or wake us again.
        this.#alarm = new Alarm(seconds, this);
        if (seconds > LONG_WAIT) this.#turnAwayAll();
        this.#announcePause(seconds);
        return;
      }
      const waiter = this.#first;
      this.leave(waiter);
      waiter.resolve(this.#take());
    }
    if (this.#first && this.#settings.onEvent) this.#watchJam();
  }

  /** Tells of turns that nobody gives back: they may wait for each other. */
  #watchJam(): void {
    const now = Date.now() / 1000;
    this.#fullSince ??= now;
    const left = this.#fullSince + LONGEST_SILENCE - now;
    if (left > 0) this.#alarm = new Alarm(left, this);
    else if (this.#pausedSince === undefined) {
      this.#pausedSince = now;
      this.#announce({
        type: "paused",
        seconds: Infinity,
        resumeAt: undefined,
        reason: "maxConcurrent turns are taken and none is given back",
        waiting: this.#waiting,
      });
    }
  }

  #current(): Model {
    return this.#model = advance(this.#model, Date.now() / 1000);
  }

  #waitOf(model: Model): number {
    return Math.max(waitTime(model), this.#log?.wait(model.now) ?? 0);
  }

  /** Seconds until the next may go; gives up on who has not answered for long. */
  #seconds(): number {
    for (;;) {
      const model = this.#current();
      const seconds = this.#waitOf(model);
      if (seconds < Infinity) return seconds;
      const [oldest] = this.#unanswered;
      if (!oldest) return 0;
      const silence = Math.max(SILENCE, 4 * model.roundTrip);
      const due = oldest.permit.at + Math.min(LONGEST_SILENCE, silence);
      // A clock that was set back prolongs no silence.
      const left = Math.min(due - model.now, LONGEST_SILENCE);
      if (left >= PRECISION) return left;
      oldest.silent = true;
      this.#unanswered.delete(oldest);
      [this.#model] = learn(model, model.now, oldest.permit, NOTHING);
    }
  }

  #take(): Turn {
    const now = Date.now() / 1000;
    const [model, permit] = send(this.#model, now);
    this.#model = model;
    this.#log?.add(now);
    this.#underWay++;
    const turn = new Turn(this, permit);
    this.#unanswered.add(turn);
    this.#announceResumption(now);
    return turn;
  }

  #learn(permit: Permit, result: Result | undefined): Verdict {
    const now = Date.now() / 1000;
    const outcome = result ? this.#read(result, now) : NOTHING;
    const before = this.#model;
    const [model, verdict] = learn(before, now, permit, outcome);
    this.#model = model;
    if (verdict === "accepted") {
      this.#accepted++;
      this.#troubleSince = undefined;
    } else if (outcome.kind !== "lost") {
      if (verdict === "refused") this.#refused++;
      this.#trouble(result, now);
    }
    if (this.#settings.onEvent) this.#announceChange(before, model);
    return verdict;
  }

  #read(result: Result, now: number): Outcome {
    const { status, headers: given, kind, retryAfter } = result;
    if (status === undefined) {
      const failed = kind === "network" || kind === "timeout";
      return failed ? FAILURE : NOTHING;
    }
    const headers = toHeaders(given) ?? NO_HEADERS;
    const { maxPause, dialect } = this.#settings;
    const limits = readLimits(headers, now * 1000, dialect).map((limit) =>
      limit.reset !== undefined && limit.reset > maxPause
        ? { ...limit, reset: maxPause }
        : limit
    );
    const refused = this.refuses(status, headers);
    const failed = SERVER_FAILURES.includes(status);
    if (!refused && !failed) return { kind: "accepted", asked: 0, limits };
    const named = readDelay(headers, now * 1000, dialect) ?? retryAfter ?? 0;
    const asked = Math.min(named, maxPause);
    return { kind: refused ? "refused" : "failed", asked, limits };
  }

  /** Nothing is accepted: how long is that to go on? */
  #trouble(result: Result | undefined, now: number): void {
    this.#lastRefusal = result?.error;
    const { circuit } = this.#model;
    const named = circuit.named > 0 ? circuit.resumeAt : 0;
    this.#troubleSince = Math.max(this.#troubleSince ?? now, named);
    if (this.#isOutOfPatience(now)) this.#refuseAll();
    else if (circuit.phase === "cooldown") this.#turnAwayAll();
  }

  /** Lets those go whose wait is known to be too long. */
  #turnAwayAll(): void {
    for (let at = this.#impatientWaiters > 0 ? this.#first : undefined; at;) {
      const { behind } = at;
      this.#turnAway(at);
      at = behind;
    }
  }

  #turnAway(waiter: Waiter): void {
    if (waiter.latest === Infinity) return;
    const now = Date.now() / 1000;
    if (now + this.wait() <= waiter.latest) return;
    this.leave(waiter);
    waiter.reject(this.#refusal("the wait is known to be too long"));
  }

  #isOutOfPatience(now: number): boolean {
    const since = this.#troubleSince;
    return since !== undefined && now - since >= this.#settings.patience;
  }

  #refuseAll(): void {
    while (this.#first) {
      const waiter = this.#first;
      this.leave(waiter);
      waiter.reject(this.#impatient());
    }
  }

  #impatient(): RateLimitError {
    const { patience } = this.#settings;
    return this.#refusal(`nothing was accepted for ${patience} s`);
  }

  #refusal(reason: string): RateLimitError {
    const { circuit, now } = this.#model;
    return new RateLimitError(`RateLimiter gave up as ${reason}`, {
      reason,
      ...circuit.resumeAt > now &&
        { resumeAt: new Date(circuit.resumeAt * 1000) },
      cause: this.#lastRefusal,
    });
  }

  #announcePause(seconds: number): void {
    const model = this.#model;
    if (this.#pausedSince !== undefined || !isPaused(model)) return;
    if (seconds < LONG_WAIT && model.circuit.named === 0) return;
    this.#pausedSince = model.now;
    if (model.circuit.cause === "outage") return;
    this.#announce({
      type: "paused",
      seconds,
      resumeAt: new Date((model.now + seconds) * 1000),
      reason: reasonOf(model),
      waiting: this.#waiting,
    });
  }

  #announceResumption(now: number): void {
    if (this.#pausedSince === undefined) return;
    if (this.#model.circuit.phase !== "flowing") return;
    const seconds = now - this.#pausedSince;
    this.#pausedSince = undefined;
    const { rate } = this.#model.bucket;
    this.#announce({ type: "resumed", seconds, rate, waiting: this.#waiting });
  }

  #announceChange(before: Model, { circuit, bucket, ...model }: Model): void {
    const down = circuit.cause === "outage" && circuit.phase !== "flowing";
    const wasDown = before.circuit.cause === "outage" &&
      before.circuit.phase !== "flowing";
    if (down && !wasDown) {
      const seconds = Math.max(0, circuit.resumeAt - model.now);
      const { row: failures } = model;
      const waiting = this.#waiting;
      this.#announce({ type: "outage", seconds, failures, waiting });
    }
    if (circuit.phase === "flowing" && before.circuit.phase !== "flowing") {
      this.#announceResumption(model.now);
    }
    const { limit: inFlight } = model.concurrency;
    const changed = bucket.rate !== before.bucket.rate ||
      inFlight !== before.concurrency.limit;
    if (changed) {
      this.#announce({ type: "learned", rate: bucket.rate, inFlight });
    }
  }

  #announce(event: LimiterEvent): void {
    try {
      this.#settings.onEvent?.(event);
    } catch (error) {
      // A log that fails must not fail the calls: it is reported as uncaught.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function isPaused(model: Model): boolean {
  const { circuit, now, quotas } = model;
  if (circuit.phase === "cooldown") return circuit.resumeAt > now;
  return circuit.phase === "flowing" &&
    quotas.some((quota) => quotaWait(quota, model) > LONG_WAIT);
}

function phaseOf(model: Model, seconds: number): RateLimiterState["phase"] {
  const { circuit, estimate, quotas } = model;
  if (circuit.phase === "flowing") {
    if (seconds > 0 && isPaused(model)) return "paused";
    const learning = estimate.mode === "searching" && quotas.length === 0;
    return learning ? "learning" : "flowing";
  }
  if (circuit.cause === "outage") return "outage";
  return circuit.phase === "probing" || circuit.resumeAt <= model.now
    ? "probing"
    : "paused";
}

function reasonOf({ circuit }: Model): string {
  if (circuit.phase === "flowing") {
    return "the headers say that nothing is left";
  }
  if (circuit.cause === "outage") return "the server is down";
  if (circuit.cause === "reset" && circuit.named === 0) {
    return "the headers say that nothing is left";
  }
  return circuit.named > 0
    ? "refused, the server named the time"
    : "refused, no time was named";
}

/** The queue of each limiter. */
export const queues = new WeakMap<object, Queue>();

/** The queue of a limiter, where there is one. */
export function queueOf(limiter: object | null | undefined): Queue | undefined {
  return limiter ? queues.get(limiter) : undefined;
}

const NO_HEADERS = new Headers();
const ACCEPTED: Result = { status: 200 };
const NOTHING: Outcome = { kind: "lost", asked: 0, limits: [] };
const FAILURE: Outcome = { kind: "failed", asked: 0, limits: [] };
