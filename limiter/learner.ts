/**
 * The learner of a server's limit: slow start until something is refused, then
 * a token bucket whose rate is found by what was accepted between refusals, a
 * circuit that one probe re-opens, the quotas of the headers, and a limit on
 * requests in flight. Pure: no clock, no timer, no queue.
 *
 * @module
 */

import type { LimitReading } from "../http/dialects.ts";
import { acceptedAt, refusedAt } from "./concurrency.ts";
import type { Busy, Circuit, Estimate, Model, Permit } from "./model.ts";
import {
  BATCH,
  contradict,
  endsBy,
  explains,
  hasLevel,
  isCoarse,
  leads,
  leftOf,
  type Quota,
  quotaWait,
  readQuotas,
  renewQuota,
  shareLeft,
  shiftQuota,
  spendQuota,
  tellsWhen,
} from "./quota.ts";

/** What became of a request. */
export interface Outcome {
  /** `failed`: the server or the network, not this request, was at fault. */
  readonly kind: "accepted" | "refused" | "failed" | "lost";
  /** Seconds that the server asked for; 0: it named no time. */
  readonly asked: number;
  /** What its headers tell. */
  readonly limits: readonly LimitReading[];
}

/** Whose matter an outcome is: nobody's, the limiter's, or its own call's. */
export type Verdict = "accepted" | "refused" | "outage" | "own";

/** Requests in flight after the first answer: a page of an application. */
const PAGE = 8;
/** ... and after a lock-out that ended nobody knows when. */
const CAREFUL = 2;
/** Requests in flight from which on slow start is slower. */
const MANY_IN_FLIGHT = 32;
/** Part of a quota that is used where the pace is steered by what is left. */
const FULL = 0.95;
/** Part of a pace that is left when a quota was used up by it. */
const USED_UP = 0.7;
/** Answers that tell whether a server went on or stopped. */
const SOME = 4;
/** Growth of a guess for each success; a measured pace starts finer. */
const COARSE = 2;
/** The finest step by which a pace is tried upwards. */
const FINE = 1.03;
/** The step of a pace of which nothing is known but that it is of the order. */
const UNSURE = Math.SQRT2;
/** Accepted requests that make a measurement: +-1 of them is then 12 %. */
const ENOUGH = 8;
/** A pace is kept this far under what was measured. */
const MARGIN = 0.98;
/** Requests' worth of the pace in the first pause that nobody named. */
const PAUSE = 2;
/** Part of the time since the first refusal until the next probe. */
const LOOK = 0.3;
/** Part of what a window let in that makes another one of the same. */
const SAME = 0.7;
/** The longest pause that nobody named, in seconds. */
const LONGEST = 30;
/** Part of what a named pause costs that is earned before the next try upwards. */
const DEAR = 0.5;
/** The longest named pause that counts as dear, in seconds. */
const DEAREST = 2;
/** A named time from here on, in seconds, is more than "soon" rounded up. */
const LONG = 2;
/** Requests' worth of the pace that a bucket must have had, if it were one. */
const LOCKED = 4;
/** The slowest pace, in requests per second. */
const SLOWEST = 1 / LONGEST;
/** Rises in a row from which on each is larger: the limit itself went up. */
const RISES = 3;
/** Seconds without a request after which the server has recovered. */
const IDLE = 1;
/** Seconds after which a probe that is not answered holds nobody back. */
const PROBE = 1;
/** Seconds that an instant is exact to, and then some. */
const PRECISION = 1e-6;
/** Probes in a row that the server fails, from which on it is down. */
const DOWN = 3;
/** Times that others passed beside a failure, which make it one of its own. */
const NOISE = 1;
/** Of the last 16 answers, failures that are no coincidence. */
const MANY = 8;
const RECENT = 0xffff;

/** Brings the model up to date: tokens come, windows end, the clock is set back. */
export function advance(model: Model, now: number): Model {
  if (now === model.now) return model;
  if (now < model.now) return setBack(model, model.now - now);
  const { bucket, circuit } = model;
  // What was granted beyond the burst stays, but does not grow.
  const tokens = bucket.rate === Infinity ? Infinity : Math.max(
    bucket.tokens,
    Math.min(bucket.burst, bucket.tokens + bucket.rate * (now - model.now)),
  );
  const next = { ...model, now, bucket: { ...bucket, tokens } };
  if (!model.quotas.some((quota) => endsBy(quota, now))) return next;
  const used = model.quotas.some((quota) =>
    endsBy(quota, now) && quota.counted && leftOf(quota, next) < 1
  );
  const quotas = model.quotas.map((quota) =>
    endsBy(quota, now) ? renewQuota(quota) : quota
  );
  const coarse = model.quotas.find((quota) =>
    endsBy(quota, now) && isCoarse(quota) && quota.counted
  );
  if (
    used && coarse && circuit.phase === "flowing" &&
    model.estimate.mode !== "given"
  ) {
    return steer({ ...next, quotas }, coarse);
  }
  // The first answer of the new window tells how it goes on.
  return used && circuit.phase === "flowing"
    ? startCooldown({ ...next, quotas }, {
      cause: "reset",
      doubtful: false,
      since: now,
      number: next.sent,
      inFlight: next.inFlight,
      named: 0,
      resumeAt: now,
    })
    : { ...next, quotas };
}

/** A window was used up that is told too coarsely: it is spread evenly instead. */
function steer(model: Model, quota: Quota): Model {
  const { estimate, bucket } = model;
  const evenly = quota.limit / Math.max(1, Math.round(quota.longest));
  if (estimate.mode !== "searching") {
    if (!hasLevel(quota)) return model;
    const rate = Math.max(evenly, bucket.rate * USED_UP);
    return {
      ...model,
      bucket: withRate(model, Math.min(bucket.rate, rate)),
      estimate: { ...estimate, held: 0, least: 1 },
    };
  }
  return {
    ...model,
    estimate: {
      ...estimate,
      mode: "pacing",
      emptyAt: model.now,
      resumedAt: model.now,
      emptyNumber: model.sent,
      accepted: 0,
      refused: 0,
      step: COARSE,
      held: 0,
      rises: 0,
      least: 1,
    },
    bucket: { ...withRate(model, evenly), tokens: 1 },
  };
}

/** All that lay ahead stays as far ahead. */
function setBack(model: Model, seconds: number): Model {
  const { circuit, estimate } = model;
  return {
    ...model,
    now: model.now - seconds,
    circuit: {
      ...circuit,
      resumeAt: circuit.resumeAt - seconds,
      probeUntil: circuit.probeUntil - seconds,
      since: circuit.since - seconds,
      failedAt: circuit.failedAt - seconds,
    },
    sentAt: model.sentAt - seconds,
    lockOut: {
      ...model.lockOut,
      openedAt: model.lockOut.openedAt - seconds,
    },
    estimate: {
      ...estimate,
      emptyAt: estimate.emptyAt - seconds,
      resumedAt: estimate.resumedAt - seconds,
    },
    quotas: model.quotas.map((quota) => shiftQuota(quota, seconds)),
  };
}

/** Seconds until the next request may go; `Infinity`: not before an answer. */
export function waitTime(model: Model): number {
  const seconds = wait(model);
  return seconds < PRECISION ? 0 : seconds;
}

function wait(model: Model): number {
  const { now, circuit, bucket, inFlight, concurrency, quotas } = model;
  if (circuit.phase === "cooldown") return circuit.resumeAt - now;
  if (circuit.phase === "probing") return circuit.probeUntil - now;
  const led = isLed(model);
  const window = led ? Infinity : model.slowStart.window;
  if (inFlight >= Math.min(concurrency.limit, window)) return Infinity;
  const paced = bucket.tokens >= 1 ? 0 : (1 - bucket.tokens) / bucket.rate;
  let seconds = led && model.estimate.mode !== "given" ? 0 : paced;
  for (const quota of quotas) {
    if (ignores(model, quota)) continue;
    const wait = quotaWait(quota, model);
    // Nobody says when: then it is a matter of the pace.
    seconds = Math.max(
      seconds,
      wait,
      wait > 0 && !tellsWhen(quota) ? paced : 0,
    );
  }
  return seconds;
}

/** Whether a quota that is too small and too coarse is left to the pace. */
function ignores({ estimate }: Model, quota: Quota): boolean {
  return estimate.mode === "pacing" && isCoarse(quota) && !hasLevel(quota);
}

/** Whether headers that can be relied on tell how many may go. */
function isLed({ quotas, estimate }: Model): boolean {
  return quotas.length > 0 && quotas.every(leads) &&
    (estimate.mode === "searching" || !quotas.some(isCoarse));
}

/** One request goes. */
export function send(before: Model, now: number): [Model, Permit] {
  const model = afterIdle(advance(before, now));
  const number = model.sent + 1;
  const inFlight = model.inFlight + 1;
  const { bucket, circuit } = model;
  const permit = { number, at: now, inFlight, paced: bucket.tokens < 2 };
  return [{
    ...model,
    sent: number,
    sentAt: now,
    inFlight,
    bucket: {
      ...bucket,
      tokens: Math.max(Math.min(0, bucket.tokens), bucket.tokens - 1),
    },
    quotas: model.quotas.length === 0
      ? model.quotas
      : model.quotas.map((quota) => spendQuota(quota, now)),
    circuit: circuit.phase === "flowing"
      ? circuit
      : probe(model, circuit, number),
  }, permit];
}

/** One request tries the gate; one that has no answer yet holds nobody for long. */
function probe(
  { now, roundTrip }: Model,
  circuit: Circuit,
  number: number,
): Circuit {
  const failures = circuit.failures + Number(circuit.phase === "probing");
  const patience = Math.max(
    PROBE,
    4 * roundTrip,
    circuit.cause === "outage" ? 2 ** failures : 0,
  );
  return {
    ...circuit,
    phase: "probing",
    failures,
    probe: number,
    probeUntil: now + Math.min(LONGEST, patience),
  };
}

/** A server that was left alone is full again: what was measured is over. */
function afterIdle(model: Model): Model {
  const { inFlight, now, sentAt, bucket, estimate, circuit, sent } = model;
  const idle = inFlight === 0 && circuit.phase === "flowing" &&
    now - sentAt > Math.max(IDLE, 4 / bucket.rate);
  if (!idle) return model;
  return {
    ...model,
    estimate: {
      ...estimate,
      emptyAt: now,
      resumedAt: now,
      emptyNumber: sent,
      accepted: 0,
      refused: 0,
    },
    lockOut: { ...model.lockOut, openedAt: now },
  };
}

/** A request went that took no turn: it counts, but it is no probe. */
export function passBy(before: Model, now: number): [Model, Permit] {
  const current = advance(before, now);
  const [model, permit] = send(current, now);
  return [{ ...model, circuit: current.circuit }, permit];
}

/** A request was answered, or will never be. */
export function learn(
  before: Model,
  now: number,
  permit: Permit,
  outcome: Outcome,
): [Model, Verdict] {
  const model = settle(advance(before, now), permit, outcome);
  switch (outcome.kind) {
    case "accepted":
      return [accepted(model, permit, outcome), "accepted"];
    case "refused":
      return [refused(model, permit, outcome), "refused"];
    case "failed":
      return failed(model, permit, outcome);
    case "lost":
      return [lost(model, permit), "own"];
  }
}

/** Nobody knows what became of it: it holds nobody back. */
function lost(model: Model, permit: Permit): Model {
  const { circuit, now } = model;
  const opened = growWindow(model, permit);
  return circuit.phase === "probing" && permit.number === circuit.probe
    ? { ...opened, circuit: { ...circuit, probeUntil: now } }
    : opened;
}

function settle(model: Model, permit: Permit, { kind }: Outcome): Model {
  const inFlight = Math.max(0, model.inFlight - 1);
  if (kind === "lost") return { ...model, inFlight };
  const took = Math.max(0, model.now - permit.at);
  const failing = kind === "failed";
  return {
    ...model,
    inFlight,
    accepted: model.accepted + Number(kind === "accepted"),
    roundTrip: failing || kind === "refused" && model.roundTrip > 0
      ? model.roundTrip
      : model.roundTrip + (took - model.roundTrip) /
          (model.roundTrip > 0 ? 8 : 1),
    failures: (model.failures << 1 | Number(failing)) & RECENT,
    row: failing ? model.row + 1 : 0,
  };
}

function isFresh({ epoch }: Model, permit: Permit): boolean {
  return permit.number > epoch.number;
}

function accepted(before: Model, permit: Permit, { limits }: Outcome): Model {
  const { estimate, circuit, epoch } = before;
  const fresh = isFresh(before, permit);
  const counts = permit.number > estimate.emptyNumber;
  const model: Model = {
    ...before,
    estimate: counts
      ? { ...estimate, accepted: estimate.accepted + 1 }
      : estimate,
    epoch: fresh ? epoch : { ...epoch, laterAccepted: epoch.laterAccepted + 1 },
    concurrency: acceptedAt(before.concurrency, permit.inFlight),
    // Who tells nothing when it accepts has told nothing about what is left.
    quotas: limits.length > 0
      ? readQuotas(before.quotas, limits, permit, before, false)
      : before.quotas,
  };
  if (circuit.phase === "probing" && permit.number === circuit.probe) {
    return resume(model, permit);
  }
  return fresh && circuit.phase === "flowing" ? grow(model, permit) : model;
}

/** What was accepted allows more. */
function grow(model: Model, permit: Permit): Model {
  const { estimate, bucket, roundTrip, circuit } = model;
  if (estimate.mode === "given") return model;
  model = growWindow(model, permit);
  if (estimate.mode !== "pacing" || !permit.paced) return model;
  const level = model.quotas.find((quota) =>
    isCoarse(quota) && hasLevel(quota)
  );
  if (level) return steerByLevel(model, level);
  const { step, rises } = estimate;
  const held = estimate.held + 1;
  const dear = DEAR * Math.min(circuit.named, DEAREST) * bucket.rate;
  const needed = Math.max(
    2 * roundTrip * bucket.rate,
    (3 + dear) / (step - 1),
  );
  if (held < needed) return { ...model, estimate: { ...estimate, held } };
  const faster = rises + 1 >= RISES ? Math.min(COARSE, step ** 1.5) : step;
  return {
    ...model,
    bucket: withRate(model, bucket.rate * step),
    estimate: { ...estimate, held: 0, rises: rises + 1, step: faster },
  };
}

/** What is left tells how much more would have passed: nothing has to be refused. */
function steerByLevel(model: Model, quota: Quota): Model {
  const { estimate, bucket, roundTrip } = model;
  const held = estimate.held + 1;
  const least = Math.min(estimate.least, shareLeft(quota));
  const needed = Math.max(
    SOME,
    2 * roundTrip * bucket.rate,
    quota.longest * bucket.rate,
  );
  if (held < needed) {
    return { ...model, estimate: { ...estimate, held, least } };
  }
  const factor = Math.max(
    1,
    Math.min(COARSE, FULL / Math.max(0.01, 1 - least)),
  );
  return {
    ...model,
    bucket: withRate(model, bucket.rate * factor),
    estimate: { ...estimate, held: 0, least: 1 },
  };
}

/** Slow start: twice as many after each round trip, if so many were there. */
function growWindow(model: Model, permit: Permit): Model {
  const { window } = model.slowStart;
  if (window > 2 * permit.inFlight) return model;
  const more = window >= MANY_IN_FLIGHT ? 0.5 : 1;
  const next = window === 1 ? PAGE : window + more;
  return { ...model, slowStart: { window: next } };
}

function withRate({ bucket }: Model, rate: number): Model["bucket"] {
  const slowest = Math.max(SLOWEST, rate);
  return { ...bucket, rate: slowest, burst: Math.max(1.5, slowest * BATCH) };
}

/** Nobody goes until then, and then one; what is in flight belongs to the past. */
function startCooldown(
  model: Model,
  circuit: Omit<
    Circuit,
    "phase" | "probe" | "probeUntil" | "failures" | "failedAt"
  >,
): Model {
  return {
    ...model,
    epoch: {
      number: model.sent,
      laterAccepted: 0,
      laterRefused: circuit.cause === "reset" ? 0 : 1,
    },
    circuit: { ...model.circuit, ...circuit, phase: "cooldown", failures: 0 },
  };
}

/** Somebody else in the same row, or another before it, was told to wait longer. */
function prolong(model: Model, asked: number): Model {
  const { circuit, now } = model;
  const resumeAt = Math.max(circuit.resumeAt, now + asked);
  if (asked === 0 || resumeAt === circuit.resumeAt) return model;
  const named = Math.max(circuit.named, asked);
  const cause = circuit.phase === "flowing" ? "reset" : circuit.cause;
  return {
    ...model,
    circuit: { ...circuit, cause, named, resumeAt, phase: "cooldown" },
  };
}

/** Requests per second of late, whether they are a pace or not. */
function paceOf(model: Model): number {
  const { bucket, estimate, now } = model;
  if (bucket.rate < Infinity) return bucket.rate;
  const seconds = Math.max(now - estimate.emptyAt, 1e-3);
  return Math.max(
    estimate.accepted / seconds,
    1 / Math.max(PAUSE * model.roundTrip, 1e-3),
  );
}

/** Seconds until the next probe, where the server names no time. */
function pauseOf(model: Model): number {
  const { circuit, now, lockOut, estimate } = model;
  if (circuit.cause === "outage") {
    return Math.min(LONGEST, 2 ** circuit.failures) *
      (1 + Math.random() * 0.1);
  }
  const first = PAUSE / paceOf(model);
  // As many as before the last lock-out: it will last as long.
  const again = lockOut.count > 0 && circuit.named === 0 &&
    estimate.accepted >= lockOut.count * SAME;
  if (again) {
    const { openedAt, least, most } = lockOut;
    const closed = openedAt + least - now;
    if (closed > 0) return Math.min(LONGEST, Math.max(first, closed));
    const over = Math.max(0, now - openedAt - most);
    return Math.min(LONGEST, Math.max(first, (most - least) / 4, over * LOOK));
  }
  return Math.min(LONGEST, Math.max(first, (now - circuit.since) * LOOK));
}

function isProbe({ circuit }: Model, permit: Permit): boolean {
  return circuit.phase !== "flowing" && permit.number === circuit.probe;
}

/** The gate was tried in vain; by a failure of the server, it is down. */
function probeFailed(
  model: Model,
  permit: Permit,
  { kind, asked }: Outcome,
): Model {
  const { circuit, now, busy } = model;
  const down = kind === "failed" && !busy.isLimit &&
    circuit.cause !== "outage" && circuit.failures + 1 >= DOWN &&
    now - circuit.since > PROBE;
  const cause = down ? "outage" : circuit.cause;
  const next: Model = {
    ...model,
    circuit: {
      ...circuit,
      cause,
      doubtful: circuit.doubtful && !down,
      failures: down ? 0 : circuit.failures + 1,
      failedAt: permit.at,
      named: Math.max(circuit.named, asked),
    },
  };
  const own = asked > 0 && cause !== "outage" ? 0 : pauseOf(next);
  const resumeAt = Math.max(circuit.resumeAt, now + Math.max(asked, own));
  return {
    ...next,
    circuit: { ...next.circuit, phase: "cooldown", resumeAt },
  };
}

/** Refused for its rate, or for how many go at once. */
function refused(before: Model, permit: Permit, outcome: Outcome): Model {
  const { asked, limits } = outcome;
  const { estimate } = before;
  let model: Model = permit.number > estimate.emptyNumber
    ? { ...before, estimate: { ...estimate, refused: estimate.refused + 1 } }
    : before;
  const known = before.quotas;
  if (limits.length > 0 && known.length > 0) {
    model = {
      ...model,
      quotas: readQuotas(known, limits, permit, before, true),
    };
  }
  if (isProbe(model, permit)) return probeFailed(model, permit, outcome);
  if (!isFresh(model, permit) || model.circuit.phase !== "flowing") {
    const { epoch } = model;
    return prolong(
      { ...model, epoch: { ...epoch, laterRefused: epoch.laterRefused + 1 } },
      asked,
    );
  }
  if (model.estimate.mode === "given") return pause(model, permit, asked);
  const causes = known.filter((quota) =>
    explains(quota, before, limits) && !ignores(before, quota)
  );
  if (causes.some(tellsWhen)) return pause(model, permit, asked, "reset");
  // What nobody explains, or no one times, the headers did not know.
  model = { ...model, quotas: model.quotas.map(contradict) };
  if (causes.length > 0) return pause(model, permit, asked);
  model = { ...model, circuit: { ...model.circuit, doubtful: false } };
  return refuse(model, permit, asked, known.length > 0);
}

/** A refusal that no header explains: of how many at once, or of the rate. */
function refuse(
  before: Model,
  permit: Permit,
  asked: number,
  certain = false,
): Model {
  let model = before;
  const limited = model.concurrency.limit;
  model = {
    ...model,
    concurrency: refusedAt(
      model.concurrency,
      permit.inFlight,
      certain,
    ),
  };
  if (model.concurrency.limit < Infinity) {
    // The rate that was guessed from such refusals was none.
    if (limited === Infinity && model.estimate.mode === "pacing") {
      const rate = model.concurrency.limit / Math.max(model.roundTrip, 1e-3);
      const step = Math.max(UNSURE, model.estimate.step);
      model = {
        ...model,
        estimate: { ...model.estimate, step },
        bucket: withRate(model, Math.max(rate, model.bucket.rate)),
      };
    }
    return pause(model, permit, asked, "reset");
  }
  return pause(model, permit, asked);
}

function pause(
  model: Model,
  permit: Permit,
  asked: number,
  cause: Circuit["cause"] = "refusal",
): Model {
  const closed = startCooldown(model, {
    cause,
    doubtful: model.circuit.doubtful,
    since: permit.at,
    number: permit.number,
    inFlight: permit.inFlight,
    named: asked,
    resumeAt: Math.max(model.circuit.resumeAt, model.now + asked),
  });
  if (asked > 0) return closed;
  const resumeAt = model.now + pauseOf(closed);
  return { ...closed, circuit: { ...closed.circuit, resumeAt } };
}

/** The server or the network failed; many in a row are an outage, or a limit. */
function failed(
  model: Model,
  permit: Permit,
  outcome: Outcome,
): [Model, Verdict] {
  const { asked } = outcome;
  if (isProbe(model, permit)) {
    const verdict = model.busy.isLimit && model.circuit.cause !== "outage"
      ? "refused"
      : "outage";
    return [probeFailed(model, permit, outcome), verdict];
  }
  // A row as long as chance does not make it.
  const long = 3 + Math.log2(Math.max(1, permit.inFlight));
  const fresh = isFresh(model, permit);
  if (model.circuit.phase !== "flowing" || !fresh) {
    const { epoch, circuit } = model;
    const later = {
      ...model,
      epoch: { ...epoch, laterRefused: epoch.laterRefused + 1 },
    };
    if (circuit.phase === "flowing") return [later, "own"];
    return [later, circuit.cause === "outage" ? "outage" : "refused"];
  }
  if (model.row >= long) {
    return [pause(model, permit, asked, "outage"), "outage"];
  }
  const { busy, failures, row } = model;
  const many = bits(failures) >= MANY && row < bits(failures);
  if (busy.isLimit || many || asked > 0 && busy.noise < NOISE) {
    return [
      refuse(
        { ...model, circuit: { ...model.circuit, doubtful: true } },
        permit,
        asked,
      ),
      "refused",
    ];
  }
  return [model, "own"];
}

function bits(recent: number): number {
  let count = 0;
  for (let rest = recent; rest; rest &= rest - 1) count++;
  return count;
}

/** The probe passed: what has the cooldown taught? */
function resume(before: Model, permit: Permit): Model {
  const { circuit, estimate, bucket } = before;
  let model: Model = {
    ...before,
    epoch: { number: permit.number - 1, laterAccepted: 0, laterRefused: 0 },
    circuit: { ...circuit, phase: "flowing", failures: 0 },
  };
  if (estimate.mode === "given") {
    return {
      ...model,
      bucket: { ...bucket, tokens: Math.min(0, bucket.tokens) },
    };
  }
  const doubt = circuit.doubtful ? judge(before) : "limit";
  if (circuit.doubtful) model = { ...model, busy: busyAfter(model, doubt) };
  if (circuit.cause !== "refusal" || doubt !== "limit") {
    const window = Math.min(PAGE, model.slowStart.window);
    const lockOut = { ...before.lockOut, openedAt: permit.at, count: 0 };
    return { ...model, lockOut, slowStart: { window } };
  }
  const { emptyAt, emptyNumber } = estimate;
  const { openedAt } = before.lockOut;
  // The probe itself belongs to what follows.
  const n = estimate.accepted - Number(permit.number > emptyNumber);
  const cycle = Math.max(permit.at - emptyAt, 1e-3);
  const paused = permit.at - circuit.since;
  const empty: Estimate = {
    ...estimate,
    mode: "pacing",
    emptyAt: circuit.since,
    resumedAt: permit.at,
    named: circuit.named > 0,
    emptyNumber: before.epoch.number,
    accepted: 1,
    refused: 0,
    held: 0,
    rises: 0,
  };
  const silent = circuit.named === 0 && circuit.failures > 0;
  // A bucket would have had something long before: what was used comes back at once.
  const locked = (silent || circuit.named >= LONG) &&
    n * paused / cycle >= LOCKED;
  const lockOut = {
    openedAt: permit.at,
    count: locked && silent ? n : 0,
    least: Math.max(0, circuit.failedAt - openedAt),
    most: permit.at - openedAt,
  };
  const reopened = {
    ...model,
    lockOut,
    slowStart: { window: locked ? silent ? CAREFUL : PAGE : Infinity },
  };
  const grant = (rate: number) => locked ? Math.min(n, rate * paused) : 0;
  if (estimate.mode === "searching") {
    const seconds = Math.max(circuit.since - emptyAt, 1e-3);
    const guess = guessOf(before, Math.max(1, n) / cycle);
    return {
      ...reopened,
      estimate: {
        ...empty,
        first: { accepted: n, seconds },
        step: guess.step,
      },
      bucket: { ...withRate(model, guess.rate), tokens: grant(guess.rate) },
    };
  }
  const seconds = Math.max(circuit.since - emptyAt, 1e-3);
  const flowing = Math.max(circuit.since - estimate.resumedAt, 1e-3);
  const halved = Math.sqrt(estimate.step);
  // The pace before the last rise was borne, and is so still.
  const borne = bucket.rate / estimate.step;
  if (n < ENOUGH) {
    const most = (n + 1) / (estimate.named ? flowing : seconds);
    const rate = Math.min(borne, most);
    return {
      ...reopened,
      estimate: {
        ...empty,
        // Much slower than any pace that was tried: a guess again.
        step: rate < borne ? COARSE : Math.max(FINE, halved),
        // Too few to measure by: they are counted on.
        ...!estimate.named && !empty.named && {
          emptyAt,
          emptyNumber,
          accepted: estimate.accepted,
        },
      },
      bucket: { ...withRate(model, rate), tokens: grant(rate) },
    };
  }
  const low = n / seconds;
  const high = n / flowing;
  if (!estimate.named) {
    // A lock-out gave nothing back; a pause before may have filled the bucket.
    const measured = locked ? low : Math.sqrt(low * high);
    const unsure = locked ? 1 + 2 / n : Math.max(1 + 2 / n, high / low);
    const rate = Math.min(
      bucket.rate,
      Math.max(measured * MARGIN, borne / 1.5),
    );
    return {
      ...reopened,
      estimate: { ...empty, step: Math.max(FINE, Math.min(halved, unsure)) },
      bucket: { ...withRate(model, rate), tokens: grant(rate) },
    };
  }
  // What the pause before gave back is not known: all of its time, or as much
  // as the bucket holds, which the first refusal tells.
  const { first } = estimate;
  const longer = flowing - first.seconds;
  const told = longer > flowing / 2;
  const slope = told ? (n - first.accepted) / longer : low;
  const measured = Math.min(high, Math.max(low, slope));
  const least = estimate.rises === 0 ? borne / 1.5 : borne;
  const rate = Math.min(bucket.rate, Math.max(measured * MARGIN, least));
  const unsure = Math.max(1 + 2 / n, high / low);
  return {
    ...reopened,
    estimate: {
      ...empty,
      step: Math.max(FINE, Math.min(halved, unsure)),
    },
    bucket: { ...withRate(model, rate), tokens: grant(rate) },
  };
}

/** Whether what may have been a single failure was one: the others passed. */
function judge({ circuit, epoch }: Model): "limit" | "noise" | "unknown" {
  const { laterAccepted, laterRefused } = epoch;
  const later = laterAccepted + laterRefused;
  if (circuit.failures > 0) return "limit";
  if (laterAccepted >= 0.75 * later && later > 1) return "noise";
  return later >= SOME ? "limit" : "unknown";
}

function busyAfter({ busy }: Model, doubt: ReturnType<typeof judge>): Busy {
  if (doubt === "unknown") return busy;
  return doubt === "limit"
    ? { isLimit: true, noise: 0 }
    : { isLimit: false, noise: busy.noise + 1 };
}

/** The first pace, and how unsure it is, where `low` is what passed at the least. */
function guessOf(
  { epoch, circuit, roundTrip }: Model,
  low: number,
): { readonly rate: number; readonly step: number } {
  const later = epoch.laterAccepted + epoch.laterRefused;
  const share = epoch.laterAccepted / later;
  if (later < SOME || share < 0.5) return { rate: low, step: COARSE };
  // It went on: what it bore just then is about what it bears.
  const high = share * circuit.inFlight / roundTrip;
  return circuit.named > 0
    ? { rate: high, step: UNSURE }
    : { rate: high, step: UNSURE };
}
