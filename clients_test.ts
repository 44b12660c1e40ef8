// deno-lint-ignore-file no-import-prefix
// The packages stand here and not in deno.json, so that nothing else fetches them.
import Anthropic from "npm:@anthropic-ai/sdk@1.12.0";
import {
  DynamoDBClient,
  ListTablesCommand,
} from "npm:@aws-sdk/client-dynamodb@3.1164.0";
import { request as octokit } from "npm:@octokit/request@10.0.16";
import axios from "npm:axios@1.21.1";
import got from "npm:got@14.6.6";
import ky from "npm:ky@2.1.0";
import { ofetch } from "npm:ofetch@1.5.1";
import OpenAI from "npm:openai@7.57.0";
import superagent from "npm:superagent@10.4.2";
import { Agent, interceptors, request } from "npm:undici@8.12.4";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  createFetch,
  RateLimiter,
  type RetryOptions,
  retryWithBackoff,
} from "./mod.ts";
import {
  type FaultServer,
  startFaultServer,
  withFaultServer,
} from "./tools/servers/fault_server.ts";

const apiKey = "none";
const credentials = { accessKeyId: "none", secretAccessKey: "none" };
const dispatcher = new Agent().compose(interceptors.responseError());

type Get = (url: string, fetch?: typeof globalThis.fetch) => Promise<unknown>;

interface Client {
  /** Gets JSON, the client's own retries off. */
  readonly get: Get;
  /** The class of its errors. */
  readonly error: string;
  /** Whether it takes a `fetch`. */
  readonly fetch?: true;
  /** What it takes a broken connection for, if not for that. */
  readonly broken?: "timeout";
}

const CLIENTS: Record<string, Client> = {
  "ky": {
    get: (url, fetch) =>
      ky.get(url, { retry: 0, ...fetch && { fetch } }).json(),
    error: "HTTPError",
    fetch: true,
  },
  "axios": { get: (url) => axios.get(url), error: "AxiosError" },
  "got": {
    get: (url) => got(url, { retry: { limit: 0 } }).json(),
    error: "HTTPError",
  },
  "Octokit": {
    get: (url, fetch) =>
      octokit(`GET ${url}`, { request: { ...fetch && { fetch } } }),
    error: "RequestError",
    fetch: true,
  },
  "undici": {
    get: async (url) => await (await request(url, { dispatcher })).body.json(),
    error: "ResponseError",
  },
  "ofetch": {
    get: (url, fetch) =>
      ofetch.create({ retry: 0 }, { ...fetch && { fetch } })(url),
    error: "FetchError",
    fetch: true,
  },
  "superagent": {
    get: async (url) => await superagent.get(url),
    error: "Error",
  },
  "OpenAI": {
    get: async (baseURL, fetch) =>
      await new OpenAI({
        ...{ apiKey, baseURL, maxRetries: 0 },
        ...fetch && { fetch },
      }).models.list(),
    error: "RateLimitError",
    fetch: true,
  },
  "Anthropic": {
    get: async (baseURL, fetch) =>
      await new Anthropic({
        ...{ apiKey, baseURL, maxRetries: 0 },
        ...fetch && { fetch },
      }).models.list(),
    error: "RateLimitError",
    fetch: true,
  },
  "AWS SDK": {
    get: (endpoint) =>
      new DynamoDBClient({
        ...{ endpoint, credentials, region: "us-east-1", maxAttempts: 1 },
      }).send(new ListTablesCommand({})),
    error: "DynamoDBServiceException",
    broken: "timeout",
  },
};

/** The server's clock is the client's: a floor on both sides is 1 ms. */
function assertWaits(server: FaultServer, milliseconds: number): void {
  const gaps = server.gaps();
  assertEquals(gaps.length, 2);
  for (const gap of gaps) assert(gap >= milliseconds - 1, `${gaps}`);
}

/** undici has timers of its own, which outlive a test. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

test("retryWithBackoff() calls every client again when the server said so, until it answers", async () => {
  const waits = Object.entries(CLIENTS).map(([name, { get }]) =>
    withFaultServer(async (server) => {
      const failures: string[] = [];
      await retryWithBackoff(() => get(`${server.url}/429,429,json`), {
        onRetry: ({ failure, delay, delaySource }) => {
          failures.push(
            `${failure.kind} ${failure.status}, ${delaySource} ${delay}`,
          );
        },
      });
      assertEquals(failures, Array(2).fill("status 429, retry-after 1"), name);
      assertWaits(server, 1000);
    }, { "retry-after": "1" })
  );
  await Promise.all(waits);
});

for (
  const [name, { get, error: className, fetch, broken }] of Object.entries(
    CLIENTS,
  )
) {
  /** Fails for good, and tells what the client itself threw last. */
  const exhaust = async (url: string, options: RetryOptions) => {
    let last: unknown;
    const thrown = await retryWithBackoff(async () => {
      try {
        return await get(url);
      } catch (error) {
        throw last = error;
      }
    }, options).catch((error) => error);
    assertStrictEquals(thrown, last);
    return thrown as Error;
  };

  test(`retryWithBackoff() throws the last error of ${name} as it is`, () =>
    withFaultServer(async (server) => {
      const error = await exhaust(`${server.url}/429`, {
        config: { maxRetries: 2 },
      });
      assertEquals(error.constructor.name, className);
      assertEquals(server.requests().length, 3);
    }, { "retry-after": "0.01" }));

  test(`retryWithBackoff() takes a broken connection in ${name} for a network failure`, () =>
    withFaultServer(async (server) => {
      const kinds: string[] = [];
      await exhaust(`${server.url}/reset`, {
        config: { maxRetries: 1, baseDelay: 0.001 },
        onRetry: ({ failure }) => void kinds.push(failure.kind),
      });
      assertEquals(kinds, [broken ?? "network"]);
    }, { "retry-after": "0.01" }));

  if (!fetch) continue;
  test(`createFetch() serves ${name}: two refusals, then the answer`, () =>
    withFaultServer(async (server) => {
      const fetch = createFetch({ limiter: new RateLimiter() });
      await get(`${server.url}/429,503,json`, fetch);
      assertWaits(server, 200);
    }, { "retry-after": "0.2" }));
}

Deno.test("createFetch() keeps no connections open but the workers' own", async () => {
  const server = await startFaultServer();
  try {
    const fetch = createFetch({ config: { baseDelay: 0.01, jitter: false } });
    let most = 0;
    const worker = async (id: number) => {
      for (let item = 0; item < 5; item++) {
        const url = `${server.url}/big,503,ok?${id}-${item}`;
        const response = await fetch(url);
        most = Math.max(most, server.open());
        assertEquals(await response.text(), "ok");
      }
    };
    await Promise.all([1, 2, 3, 4].map(worker));
    // A worker's own, and the one that the server has yet to see closed.
    assert(most <= 8, `${most} connections`);
  } finally {
    await server.close();
  }
});
