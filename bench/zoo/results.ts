/**
 * One line of results for each seed, with what it takes to group and compare.
 *
 * @module
 */

import { type Family, type Scene, short } from "./draw.ts";
import type { Outcome } from "./play.ts";

export interface Result extends Outcome {
  family: Family;
  tells: string;
  status: number;
  workers: number;
  items: number;
  /** Whether one worker alone meets an outage, which retries may not outlast. */
  excused: boolean;
  description: string;
}

export function resultOf(scene: Scene, outcome: Outcome): Result {
  return {
    ...outcome,
    family: scene.family,
    tells: scene.tells.kind,
    status: scene.status,
    workers: scene.workers,
    items: scene.items,
    excused: scene.outage !== undefined && scene.workers === 1,
    description: describe(scene),
  };
}

/** Infinite where it never ended. */
export function ratioOf({ ratio, stuck }: Result): number {
  return stuck ? Infinity : ratio;
}

export function wasteOf({ refused, sent }: Outcome): number {
  return refused / Math.max(1, sent);
}

export function isFine(result: Result): boolean {
  return !result.stuck && result.lost === 0 && result.ratio <= 1.2 &&
    wasteOf(result) <= 0.05;
}

/** A scene in a line. */
export function describe(scene: Scene): string {
  const { tells, network, outage, faults } = scene;
  const quota = tells.kind.startsWith("x ") || tells.kind === "draft";
  const ms = (seconds: number) => `${short(seconds * 1000)} ms`;
  const parts = [
    scene.limit.startsWith(scene.family)
      ? scene.limit
      : `${scene.family}: ${scene.limit}`,
    outage &&
    `outage ${outage.kind} ${short(outage.begin)}-${short(outage.end)} s`,
    faults &&
    `${short(faults.share * 100)} % faults${faults.stalls ? ", stalls" : ""}${
      faults.retryAfter ? " + retry-after" : ""
    }`,
    `tells ${tells.kind}${
      quota
        ? ` on ${tells.on}${
          tells.honesty === "honest" ? "" : `, ${tells.honesty}`
        }${tells.reset === "next" ? ", next token" : ""}${
          tells.retryAfter ? ` + retry-after` : ""
        }`
        : ""
    }`,
    `status ${scene.status}`,
    scene.clockAhead ? `clock ${short(scene.clockAhead)} s` : "clock right",
    !scene.dated && "no date",
    `${ms(2 * network.way)} away (${short(network.waySigma)}) + ${
      ms(network.service)
    } (${short(network.serviceSigma)})`,
    `${scene.workers} workers, ${scene.items} items`,
    scene.attemptTimeout && `timeout ${short(scene.attemptTimeout)} s`,
    scene.parsesInside ? "parsed" : "returned",
    `best ${short(scene.best)} s`,
  ];
  return parts.filter(Boolean).join("; ");
}
