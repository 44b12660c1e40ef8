/**
 * The circuit of a rate limiter: a cooldown after a refusal, the probe that
 * ends it, and how long it takes until the next. Pure.
 *
 * @module
 */

import type { Busy, Circuit, Model, Outcome, Permit } from "./model.ts";

/** Requests' worth of the pace in the first pause that nobody named. */
const PAUSE = 2;

/** The shortest pause that nobody named, in seconds: a timer's millisecond. */
const SHORTEST = 0.001;

/** Part of the time since the first refusal until the next probe. */
const LOOK = 0.3;

/** Part of what a window let in that makes another one of the same. */
const SAME = 0.7;

/** The longest pause that nobody named, in seconds. */
export const LONGEST = 30;

/** Seconds after which a probe that is not answered holds nobody back. */
const PROBE = 1;

/** Probes in a row that the server fails, from which on it is down. */
const DOWN = 3;

/** Answers that tell whether a server went on or stopped. */
export const SOME = 4;

/** Nobody goes until then, and then one; what is in flight belongs to the past. */
export function startCooldown(
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

export function pause(
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

/** Somebody else in the same row, or another before it, was told to wait longer. */
export function prolong(model: Model, asked: number): Model {
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

/** One request tries the gate; one that has no answer yet holds nobody for long. */
export function probe(
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

export function isProbe({ circuit }: Model, permit: Permit): boolean {
  return circuit.phase !== "flowing" && permit.number === circuit.probe;
}

/** The gate was tried in vain; by a failure of the server, it is down. */
export function probeFailed(
  model: Model,
  permit: Permit,
  { kind, asked }: Outcome,
): Model {
  const { circuit, now, busy } = model;
  // What failed after refusals may still be one; anything else is no limit.
  const unlike = !circuit.doubtful ||
    circuit.failures + 1 >= DOWN && now - circuit.since > PROBE;
  const down = kind === "failed" && !busy.isLimit &&
    circuit.cause !== "outage" && unlike;
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
  const since = (now - circuit.since) * LOOK;
  return Math.min(LONGEST, Math.max(SHORTEST, first, since));
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

/** Whether what may have been a single failure was one: the others passed. */
export function judge(
  { circuit, epoch }: Model,
): "limit" | "noise" | "unknown" {
  const { laterAccepted, laterRefused } = epoch;
  const later = laterAccepted + laterRefused;
  if (circuit.failures > 0) return "limit";
  if (laterAccepted >= 0.75 * later && later > 1) return "noise";
  return later >= SOME ? "limit" : "unknown";
}

export function busyAfter(
  { busy }: Model,
  doubt: ReturnType<typeof judge>,
): Busy {
  if (doubt === "unknown") return busy;
  return doubt === "limit"
    ? { isLimit: true, noise: 0 }
    : { isLimit: false, noise: busy.noise + 1 };
}
