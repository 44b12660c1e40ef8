// deno-lint-ignore-file no-console
/**
 * What each library does, found out on a server of 127.0.0.1.
 *
 *     deno task bench:features
 *
 * Each is called as its documentation says, with three retries and as short a
 * backoff as it takes. Prints the table, and writes it into `docs/peers.md`.
 *
 * @module
 */

import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ConfiguredRetryStrategy } from "@smithy/util-retry";
import { retry as stdRetry } from "@std/async/retry";
import axios from "axios";
import axiosRetry from "axios-retry";
import { ConstantBackoff, handleAll, retry } from "cockatiel";
import ky from "ky";
import pRetry from "p-retry";
import { Agent, interceptors, request } from "undici";
import { createFetch, ensureOk, retryWithBackoff } from "../../mod.ts";
import {
  type FaultServer,
  withFaultServer,
} from "../../tools/servers/fault_server.ts";
import { writeReadmeTable } from "../readme_table.ts";

/** A request: GET, or POST where it says so. */
interface Asked {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly signal: AbortSignal;
  /** The backoff, in milliseconds. */
  readonly backoff: number;
}

type Client = (asked: Asked) => Promise<string>;

/** The loop that the documentation of those without HTTP shows. */
async function get({ url, method, signal }: Asked): Promise<string> {
  const response = await fetch(url, { method, signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(response.statusText);
  }
  return await response.text();
}

function s3({ url, signal: abortSignal, backoff }: Asked): Promise<string> {
  const client = new S3Client({
    ...{ endpoint: url, region: "us-east-1", forcePathStyle: true },
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
    retryStrategy: new ConfiguredRetryStrategy(4, backoff),
  });
  const file = new GetObjectCommand({ Bucket: "b", Key: "k" });
  return client.send(file, { abortSignal })
    .then(({ Body }) => Body!.transformToString());
}

const CLIENTS: Record<string, Client> = {
  "jarkdown": ({ url, method, signal, backoff }) => {
    const config = { baseDelay: backoff / 1000 };
    return method === "POST"
      ? createFetch({ config })(url, { method, signal }).then((answer) =>
        answer.text()
      )
      : retryWithBackoff(
        async (attempt) =>
          await ensureOk(await fetch(url, { signal: attempt.signal })).text(),
        { config, signal },
      );
  },
  "p-retry 9.0": (asked) =>
    pRetry(() => get(asked), {
      ...{ retries: 3, minTimeout: asked.backoff, signal: asked.signal },
    }),
  "ky 2.1": ({ url, method, signal, backoff }) =>
    ky(url, { method, signal, retry: { limit: 3, delay: () => backoff } })
      .text(),
  "cockatiel 4.0": (asked) =>
    retry(handleAll, {
      maxAttempts: 3,
      backoff: new ConstantBackoff(asked.backoff),
    }).execute(() => get(asked), asked.signal),
  "@std/async 1": (asked) =>
    stdRetry(() => get(asked), {
      ...{ maxAttempts: 4, minTimeout: asked.backoff, signal: asked.signal },
    }),
  "axios-retry 4.5": ({ url, method, signal, backoff }) => {
    const client = axios.create();
    axiosRetry(client, {
      retries: 3,
      retryDelay: (count, error) =>
        axiosRetry.exponentialDelay(count, error, backoff / 2),
    });
    return client.request({ url, method, signal }).then(({ data }) =>
      `${data}`
    );
  },
  "undici 8.12": ({ url, method, signal, backoff }) => {
    const dispatcher = new Agent().compose(
      interceptors.retry({ maxRetries: 3, minTimeout: backoff }),
    );
    return request(url, { method, signal, dispatcher })
      .then(({ body }) => body.text());
  },
  "AWS SDK 3.1164": s3,
};

/** Whether a client does it: asked with a fresh server and signal. */
type Trial = (
  ask: (path: string, method?: "GET" | "POST") => Promise<string>,
  server: FaultServer,
  abort: AbortController,
) => Promise<boolean>;

interface Feature {
  /** What refusals say in `Retry-After`. */
  readonly retryAfter?: () => string;
  /** The backoff in milliseconds, if not as short as can be. */
  readonly backoff?: number;
  /** It is about POST, of which the AWS SDK has none that one could choose. */
  readonly posts?: true;
  readonly trial: Trial;
}

const failed = () => false;
const date = () => new Date(Date.now() + 3000).toUTCString();

const FEATURES: Record<string, Feature> = {
  "retries a 503": {
    trial: (ask) => ask("/503,ok").then((text) => text === "ok", failed),
  },
  "waits as long as `Retry-After` says": {
    retryAfter: () => "1",
    trial: async (ask, server) => {
      await ask("/503,ok").catch(failed);
      return server.gaps().length === 1 && server.gaps()[0]! >= 990;
    },
  },
  "also where it is a date": {
    retryAfter: date,
    trial: async (ask, server) => {
      await ask("/503,ok").catch(failed);
      return server.gaps().length === 1 && server.gaps()[0]! >= 1500;
    },
  },
  "retries a broken connection": {
    trial: (ask) => ask("/reset,ok").then((text) => text === "ok", failed),
  },
  "retries an answer that breaks off": {
    trial: (ask) => ask("/cut,ok").then((text) => text === "ok", failed),
  },
  "does not retry a 404": {
    trial: async (ask, server) => {
      await ask("/404").catch(failed);
      return server.requests().length === 1;
    },
  },
  "does not send a POST again that broke": {
    posts: true,
    trial: async (ask, server) => {
      await ask("/reset,ok", "POST").catch(failed);
      return server.requests().length === 1;
    },
  },
  "ends at once on an abort while it waits": {
    backoff: 3000,
    trial: async (ask, server, abort) => {
      const call = ask("/503").then(failed, () => true);
      while (server.requests().length === 0) await sleep(10);
      await sleep(100);
      abort.abort(new Error("stop"));
      return await Promise.race([call, sleep(500).then(failed)]);
    },
  },
};

function sleep(milliseconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, milliseconds));
}

async function tryOut(
  client: Client,
  { retryAfter, backoff = 10, trial }: Feature,
): Promise<boolean> {
  let good = false;
  await withFaultServer(async (server) => {
    const abort = new AbortController();
    const { signal } = abort;
    const ask = (path: string, method: "GET" | "POST" = "GET") =>
      client({ url: server.url + path, method, signal, backoff });
    good = await trial(ask, server, abort);
  }, retryAfter && { "retry-after": retryAfter() });
  return good;
}

async function cell(client: Client, feature: Feature): Promise<string> {
  if (feature.posts && client === s3) return "–";
  return await tryOut(client, feature) ? "yes" : "no";
}

const rows: string[][] = [];
for (const [title, feature] of Object.entries(FEATURES)) {
  const cells = Object.values(CLIENTS).map((client) => cell(client, feature));
  rows.push([title, ...await Promise.all(cells)]);
  console.log(rows.at(-1)!.join(" | "));
}
await writeReadmeTable("bench:features", [
  ["", ...Object.keys(CLIENTS)],
  ...rows,
]);
Deno.exit(0);
