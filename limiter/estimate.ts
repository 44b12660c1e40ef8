/**
 * The estimate of a server's rate: slow start, the first guess, what was
 * accepted between two refusals, and careful growth. Pure.
 *
 * @module
 */

import { LONGEST, SOME } from "./circuit.ts";
import type { Estimate, Model, Permit } from "./model.ts";
import { BATCH, hasLevel, isCoarse, type Quota, shareLeft } from "./quota.ts";

/** Requests in flight after the first answer: a page of an application. */
export const PAGE = 8;

/** ... and after a lock-out that ended nobody knows when. */
const CAREFUL = 2;

/** Requests in flight from which on slow start is slower. */
const MANY_IN_FLIGHT = 32;

/** Part of a quota that is used where the pace is steered by what is left. */
const FULL = 0.95;

/** Part of a pace that is left when a quota was used up by it. */
const USED_UP = 0.7;

/** Growth of a guess for each success; a measured pace starts finer. */
const COARSE = 2;

/** The finest step by which a pace is tried upwards. */
const FINE = 1.03;

/** The step of a pace of which nothing is known but that it is of the order. */
export const UNSURE = Math.SQRT2;

/** Accepted requests that make a measurement: +-1 of them is then 12 %. */
const ENOUGH = 8;

/** A pace is kept this far under what was measured. */
const MARGIN = 0.98;

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

/** Slow start: twice as many after each round trip, if so many were there. */
export function growWindow(model: Model, permit: Permit): Model {
  const { window } = model.slowStart;
  if (window > 2 * permit.inFlight) return model;
  const more = window >= MANY_IN_FLIGHT ? 0.5 : 1;
  const next = window === 1 ? PAGE : window + more;
  return { ...model, slowStart: { window: next } };
}

/** What was accepted allows more. */
export function grow(model: Model, permit: Permit): Model {
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

/** A window was used up that is told too coarsely: it is spread evenly instead. */
export function steer(model: Model, quota: Quota): Model {
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

export function withRate({ bucket }: Model, rate: number): Model["bucket"] {
  const slowest = Math.max(SLOWEST, rate);
  return { ...bucket, rate: slowest, burst: Math.max(1.5, slowest * BATCH) };
}

/** What was accepted between two refusals, over the time between, is the rate. */
export function measure(before: Model, model: Model, permit: Permit): Model {
  const { circuit, estimate, bucket } = before;
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
