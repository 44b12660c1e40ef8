/**
 * Plays one scene with one client on a virtual clock, and measures.
 *
 * @module
 */

import { best } from "./best.ts";
import { type Client, CLIENTS, type Way } from "./clients.ts";
import { VirtualClock } from "./clock.ts";
import type { Scene } from "./draw.ts";
import { Network } from "./network.ts";
import { stream } from "./random.ts";

/** Seconds of silence, beyond what the server named, that are too many. */
const SILENCE = 60;
/** Times the best makespan that are too many. */
const SLOW = 20;

export type Stuck = "silent" | "slow" | "runaway" | "dead";

/** What one run came to. */
export interface Outcome {
  seed: number;
  /**
   * Makespan to the best one, plus what the best client would have needed for
   * the items that were lost; as it was when it got stuck.
   */
  ratio: number;
  sent: number;
  refused: number;
  lost: number;
  stuck: Stuck | undefined;
  early: number;
}

export interface PlayOptions {
  client: string;
  /** Instead of the scene's own. */
  way?: Way | undefined;
  told: boolean;
  /** Hears of each tenth of the best makespan. */
  onStep?: ((step: Step) => void) | undefined;
}

/** What happened since the last step. */
export interface Step {
  at: number;
  sent: number;
  accepted: number;
  refused: number;
  waiting: number;
  underWay: number;
  state: unknown;
}

export async function play(
  scene: Scene,
  { client: name, way, told, onStep }: PlayOptions,
): Promise<Outcome> {
  // Any phase within the hour: resets are told as instants too.
  const phase = stream(scene.seed, 20)() * 3600e3;
  const epoch = Math.floor(Date.UTC(2026, 10, 25, 12) + phase);
  const clock = new VirtualClock(epoch, stream(scene.seed, 21));
  const network = new Network(scene, clock);
  const { tally } = network;

  const realFetch = globalThis.fetch;
  const restore = clock.install(stream(scene.seed, 22));
  globalThis.fetch = network.fetch;
  try {
    const client: Client = await CLIENTS[name]!(scene, {
      clock,
      network,
      told,
      way: way ?? (scene.parsesInside ? "parsed" : "returned"),
    });
    let next = 0;
    let done = 0;
    let lost = 0;
    let finished = 0;
    let busy = 0;
    const work = async () => {
      busy++;
      while (next < scene.items) {
        const item = next++;
        try {
          await client.get(item);
        } catch {
          lost++;
        }
        done++;
        finished = clock.now;
      }
      busy--;
    };
    for (let i = 0; i < Math.min(scene.workers, scene.items); i++) void work();

    let stuck: Stuck | undefined;
    let step = 1;
    let before = { ...tally };
    const most = 25 * scene.items + 20_000;
    const watch = (at: number) => {
      const quiet = at - Math.max(tally.lastActivity, tally.namedUntil);
      // The oracle knows when an outage ends.
      const isQuiet = quiet > SILENCE && name !== "oracle";
      if (tally.underWay === 0 && isQuiet) stuck = "silent";
      else if (at > SLOW * scene.best) stuck = "slow";
      else if (tally.sent > most) stuck = "runaway";
      while (onStep && at >= step * scene.best / 10) {
        onStep({
          at: step++ * scene.best / 10,
          sent: tally.sent - before.sent,
          accepted: tally.accepted - before.accepted,
          refused: tally.refused - before.refused,
          waiting: busy - tally.underWay,
          underWay: tally.underWay,
          state: (client.limiter as { state?: unknown } | undefined)?.state,
        });
        before = { ...tally };
      }
    };
    const isOver = () => stuck !== undefined || done === scene.items;
    const charge = () =>
      scene.best - best({ ...scene, items: scene.items - lost }).makespan;
    const isAlive = await clock.run(isOver, watch);
    if (!isAlive) stuck = "dead";
    return {
      seed: scene.seed,
      ratio: stuck
        ? clock.now / scene.best
        : (finished + (lost > 0 ? charge() : 0)) / scene.best,
      sent: tally.sent,
      refused: tally.refused,
      lost,
      stuck,
      early: tally.early,
    };
  } finally {
    restore();
    globalThis.fetch = realFetch;
  }
}
