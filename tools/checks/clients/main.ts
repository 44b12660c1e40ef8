// deno-lint-ignore-file no-console
/**
 * Tries every client against servers of 127.0.0.1 that let it down, on the
 * runtime that runs this.
 *
 * @module
 */

import { Agent } from "node:http";
import process from "node:process";
import axios from "axios";
import { Gaxios } from "gaxios";
import nodeFetch from "node-fetch";
import nodeFetch2 from "node-fetch-2";
import * as undici from "undici";
import { discardBody } from "../../../http/body.ts";
import {
  createFetch,
  type RetryEvent,
  type RetryOptions,
  retryWithBackoff,
} from "../../../mod.ts";
import { type Client, CLIENTS } from "./clients.ts";
import { type ScriptedServer, startScriptedServer } from "./server.ts";

/** What every refusal says. */
const HEADERS = { "retry-after": "1" };
/** What a client may take for an answer; a slow machine must not fail. */
const LONG = 30_000;
/** When a client gives up on a server that does not answer. */
const SHORT = 2500;
/** Checks at once: two cores serve both sides of each. */
const AT_ONCE = 24;

const failed: string[] = [];
let passed = 0;

function assert(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

/** Longer than any check takes on a machine that is busy. */
const LIMIT = 45_000;

/** What is tried, against a server of its own. */
type Check = readonly [
  name: string,
  script: string,
  answer: unknown,
  body: (server: ScriptedServer) => Promise<unknown>,
];

async function check([name, script, answer, body]: Check): Promise<void> {
  const server = await startScriptedServer(
    ...[script, HEADERS, JSON.stringify(answer ?? {})] as const,
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      body(server),
      new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error("took too long")), LIMIT);
      }),
    ]);
    passed++;
  } catch (error) {
    failed.push(name);
    console.log(`FAILED ${name}:`, error);
  } finally {
    clearTimeout(timer);
    await server.close();
  }
}

/** What happened to a call that ended badly, or to one that went well. */
interface Story {
  readonly events: readonly RetryEvent[];
  /** What was thrown, by the client and by the retry around it. */
  readonly last?: unknown;
  readonly thrown?: unknown;
}

async function retry(
  call: () => Promise<unknown>,
  options: RetryOptions = {},
): Promise<Story> {
  const events: RetryEvent[] = [];
  let last: unknown;
  const record = async () => {
    try {
      return await call();
    } catch (error) {
      throw last = error;
    }
  };
  try {
    await retryWithBackoff(record, {
      ...options,
      onRetry: (event) => void events.push(event),
    });
    return { events };
  } catch (thrown) {
    return { events, last, thrown };
  }
}

/** Comes back when it was told to, and then is answered. */
async function waits({ get }: Client, server: ScriptedServer) {
  const { events, thrown } = await retry(() => get(server.url, LONG));
  if (thrown) throw thrown;
  for (const { failure, delay, delaySource } of events) {
    const told = `${failure.kind} ${failure.status}, ${delaySource}`;
    assert(told === "status 429, retry-after", told);
    // discord.js adds 50 ms
    assert(delay >= 1 && delay < 1.1, `${delay} s`);
  }
  assert(server.requests.length === 3, `${server.requests.length} requests`);
  const gaps = server.requests.slice(1).map((time, index) =>
    time - server.requests[index]!
  );
  // The server's clock is the client's: a floor on both sides is 1 ms.
  assert(gaps.every((gap) => gap >= 999), `gaps of ${gaps} ms`);
}

/** Throws what the client threw last, the very same. */
async function throwsItsOwn({ get, error }: Client, server: ScriptedServer) {
  const { events, last, thrown } = await retry(() => get(server.url, LONG), {
    config: { maxRetries: 1 },
  });
  assert(events.length === 1, `${events.length} retries`);
  const className = (thrown as Error).constructor.name;
  // Deno and Node name discord.js' class differently.
  assert(className === error || `_${className}` === error, className);
  // Who returns a response, and throws nothing, gets an `HttpError`.
  assert(error === "HttpError" || thrown === last, "not the client's own");
}

/** Takes it for a network failure; the AWS SDK calls a reset a timeout. */
async function isBroken({ get }: Client, server: ScriptedServer) {
  const { events, last, thrown } = await retry(() => get(server.url, LONG), {
    config: { maxRetries: 1, baseDelay: 0.01 },
  });
  const kinds = events.map(({ failure }) => failure.kind).join();
  if (kinds !== "network" && kinds !== "timeout") throw thrown;
  assert(thrown === last, "not the client's own");
}

/** Gives up on a server that does not answer, and tries again. */
async function isLate({ get, patient }: Client, server: ScriptedServer) {
  const { events, thrown } = await retry(
    () => get(server.url, patient ? LONG : SHORT),
    {
      config: { baseDelay: 0.01 },
      ...patient && { attemptTimeout: SHORT / 1000 },
    },
  );
  if (thrown) throw thrown;
  const kinds = events.map(({ failure }) => failure.kind);
  assert(kinds.length > 0, "no retry");
  // axios, superagent and Stripe give a timeout the code of a broken connection
  assert(!kinds.includes("status") && !kinds.includes("other"), `${kinds}`);
}

async function isServed({ get }: Client, server: ScriptedServer) {
  await get(server.url, LONG, createFetch());
  assert(server.requests.length === 3, `${server.requests.length} requests`);
}

/** A client of one connection, which hands over a body that it has not read. */
type Open = (url: string) => Promise<unknown>;

const STREAMS: Record<string, () => Open> = {
  "fetch": () => (url) => fetch(url),
  "node-fetch 2": (agent = one()) => (url) => nodeFetch2(url, { agent }),
  "node-fetch 3": (agent = one()) => (url) => nodeFetch(url, { agent }),
  "axios": (httpAgent = one()) => (url) =>
    axios.get(url, { responseType: "stream", httpAgent }),
  "axios with fetch": () => (url) =>
    axios.get(url, { responseType: "stream", adapter: "fetch" }),
  "gaxios": () => (url) =>
    new Gaxios().request({ url, responseType: "stream", retry: false }),
  ...!("Bun" in globalThis) && {
    "undici": (dispatcher = new undici.Agent({ connections: 1 })) => (url) =>
      undici.request(url, { dispatcher }),
  },
};

function one(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

async function isGivenUp(open: Open, server: ScriptedServer) {
  for (let number = 1; number <= 3; number++) {
    discardBody(await open(server.url).catch((error) => error));
  }
  assert(server.requests.length === 3, `${server.requests.length} requests`);
}

/** Who keeps the body of a refusal waits for its own connection for ever. */
async function isRetried(open: Open, server: ScriptedServer) {
  await retryWithBackoff(async () => {
    const answer = await open(server.url) as { statusCode?: number };
    // undici's answer is no `Response`, and no error.
    if (answer.statusCode === 429) throw answer;
    return answer;
  });
  assert(server.requests.length === 3, `${server.requests.length} requests`);
}

process.on("uncaughtException", (error) => {
  failed.push("nothing is uncaught");
  console.log("FAILED nothing is uncaught:", error);
});

/** All that is tried with one client. */
function checksOf([name, client]: [string, Client]): Check[] {
  const { answer, fetch, careless } = client;
  const broken = ["reset", "close", "garbage", ...careless ? [] : ["cut"]];
  return [
    [
      `${name} waits as it was told`,
      "429,429,ok",
      answer,
      (server) => waits(client, server),
    ],
    [
      `${name} throws its own error`,
      "429",
      answer,
      (server) => throwsItsOwn(client, server),
    ],
    [
      `${name} gets over a silent server`,
      "hang,ok",
      answer,
      (server) => isLate(client, server),
    ],
    ...broken.map((step): Check => [
      `${name} is retried after ${step}`,
      step,
      answer,
      (server) => isBroken(client, server),
    ]),
    ...fetch
      ? [
        [
          `${name} is served by createFetch`,
          "429,503,ok",
          answer,
          (server) => isServed(client, server),
        ] satisfies Check,
      ]
      : [],
  ];
}

function streamChecksOf([name, client]: [string, () => Open]): Check[] {
  return [
    [
      `the body of ${name} is given up`,
      "big",
      {},
      (server) => isGivenUp(client(), server),
    ],
    [
      `${name} is retried, its body unread`,
      "big,big,ok",
      {},
      (server) => isRetried(client(), server),
    ],
  ];
}

const left = [
  ...Object.entries(CLIENTS).flatMap(checksOf),
  ...Object.entries(STREAMS).flatMap(streamChecksOf),
].values();
const worker = async () => {
  for (const next of left) await check(next);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
const clients = Object.keys(CLIENTS).length;
console.log(`${clients} clients: ${passed} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
