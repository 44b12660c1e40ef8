/**
 * The learner of a server's limit: slow start until something is refused, then
 * a token bucket whose rate is found by what was accepted between refusals, a
 * circuit that one probe re-opens, the quotas of the headers, and a limit on
 * requests in flight. Pure: no clock, no timer, no queue.
 *
 * @module
 */

import {
  busyAfter,
  isProbe,
  judge,
  pause,
  probe,
  probeFailed,
  prolong,
  startCooldown,
} from "./circuit.ts";
import {
  grow,
  growWindow,
  measure,
  PAGE,
  steer,
  UNSURE,
  withRate,
} from "./estimate.ts";
import { acceptedAt, refusedAt, refusedBeside } from "./concurrency.ts";
import type { Model, Outcome, Permit, Verdict } from "./model.ts";
import {
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
  shiftQuota,
  spendQuota,
  tellsWhen,
} from "./quota.ts";

/** Seconds without a request after which the server has recovered. */
const IDLE = 1;

/** Seconds that an instant is exact to, and then some. */
const PRECISION = 1e-6;

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

export function wait(model: Model): number {
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

export function accepted(
  before: Model,
  permit: Permit,
  { limits }: Outcome,
): Model {
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

/** Refused for its rate, or for how many go at once. */
export function refused(
  before: Model,
  permit: Permit,
  outcome: Outcome,
): Model {
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
    const { epoch, concurrency } = model;
    return prolong(
      {
        ...model,
        epoch: { ...epoch, laterRefused: epoch.laterRefused + 1 },
        concurrency: refusedBeside(concurrency, permit.inFlight),
      },
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

/** The server or the network failed; many in a row are an outage, or a limit. */
export function failed(
  model: Model,
  permit: Permit,
  outcome: Outcome,
): [Model, Verdict] {
  const { asked } = outcome;
  if (isProbe(model, permit)) {
    const next = probeFailed(model, permit, outcome);
    return [next, next.circuit.cause === "outage" ? "outage" : "refused"];
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
  return measure(before, model, permit);
}
