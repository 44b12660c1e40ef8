/**
 * One client's job in a process of its own, on any runtime: many workers bring
 * the items home. Prints what became of each request and each item, as JSON.
 *
 * @module
 */

import process from "node:process";
import { CLIENTS, type Settings } from "./clients.ts";

/** What is to be done. */
export interface Job extends Settings {
  client: string;
  url: string;
  items: number;
  workers: number;
  /** When to begin, in seconds since the epoch; at once if that is past. */
  startAt: number;
  /** Seconds after which it is ended, done or not. */
  bound: number;
  /** A server without a limit, to warm up with. */
  warmUp: string;
}

/** One request; instants in seconds since the epoch. */
export interface Sent {
  item: number;
  at: number;
  /** When the headers or the failure were there; `null` if they never were. */
  answeredAt: number | null;
  /** 0: there was no answer. */
  status: number;
  /** What the server asked for, in seconds. */
  retryAfter: number;
}

/** What became of it; instants in seconds since the epoch. */
export interface Outcome {
  start: number;
  /** When the last item was home, or when the job was ended. */
  end: number;
  sent: Sent[];
  /** Seconds that each item took, in any order. */
  took: number[];
  /** Items that the client gave up, by the reason. */
  lost: Record<string, number>;
  /** Items that were not finished. */
  unfinished: number;
  /** Seconds of processor time. */
  cpu: number;
}

const now = () => (performance.timeOrigin + performance.now()) / 1000;

const job: Job = JSON.parse(process.argv[2]!);
const make = CLIENTS[job.client]!;

// What is compiled and loaded at the first call is not the job's.
const warm = await make({ ...job, slots: [] });
for (let turn = 0; turn < 30; turn++) await warm(job.warmUp);

const sent: Sent[] = [];
const send = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  const item = Number(url.slice(url.lastIndexOf("=") + 1));
  const entry: Sent = {
    item,
    at: now(),
    answeredAt: null,
    status: 0,
    retryAfter: 0,
  };
  sent.push(entry);
  try {
    const response = await send(input, init);
    entry.status = response.status;
    if (!response.ok) {
      entry.retryAfter = Number(response.headers.get("retry-after")) || 0;
    }
    return response;
  } finally {
    entry.answeredAt = now();
  }
};

const get = await make(job);
const early = Math.max(0, job.startAt - now());
await new Promise((wake) => setTimeout(wake, early * 1000));
const outcome: Outcome = {
  start: now(),
  end: 0,
  sent,
  took: [],
  lost: {},
  unfinished: job.items,
  cpu: 0,
};
const before = process.cpuUsage();
const bound = setTimeout(finish, job.bound * 1000);
let taken = 0;

async function work(): Promise<void> {
  while (taken < job.items) {
    const item = taken++;
    const begin = now();
    try {
      await get(`${job.url}?item=${item}`);
      outcome.took.push(now() - begin);
    } catch (error) {
      const reason = String(error).replaceAll(/\bhttps?:\S+|\d{4,}/g, "");
      outcome.lost[reason] = (outcome.lost[reason] ?? 0) + 1;
    }
    outcome.unfinished--;
  }
}

function finish(): void {
  clearTimeout(bound);
  outcome.end = now();
  const { user, system } = process.cpuUsage(before);
  outcome.cpu = (user + system) / 1e6;
  // A client that is stuck would not let go of the process.
  process.stdout.write(JSON.stringify(outcome), () => process.exit());
}

await Promise.all(Array.from({ length: job.workers }, work));
finish();
