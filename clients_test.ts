// deno-lint-ignore-file no-import-prefix
// The packages stand here and not in deno.json, so that nothing else fetches them.
import { request as octokit } from "npm:@octokit/request@10.0.16";
import ky from "npm:ky@2.1.0";
import { ofetch } from "npm:ofetch@1.5.1";
import OpenAI from "npm:openai@7.57.0";
import { assert, assertEquals } from "@std/assert";
import { createFetch, RateLimiter, retryWithBackoff } from "./mod.ts";
import { startFaultServer } from "./tools/fault_server.ts";

/** Each client, its own retries off: gets JSON through a given `fetch`. */
const CLIENTS: Record<
  string,
  (fetch: typeof globalThis.fetch, url: string) => Promise<unknown>
> = {
  "ky": (fetch, url) => ky.get(url, { fetch, retry: 0 }).text(),
  "ofetch": (fetch, url) =>
    ofetch.create({ retry: 0 }, { fetch })(url, { responseType: "text" }),
  "Octokit": async (fetch, url) =>
    (await octokit(`GET ${url}`, { request: { fetch } })).data,
  "OpenAI": async (fetch, url) => {
    const client = new OpenAI({
      apiKey: "none",
      baseURL: url,
      fetch,
      maxRetries: 0,
    });
    const response = await client.models.list().asResponse();
    return await response.text();
  },
};

/** What the server gets to see of an address: OpenAI adds a path of its own. */
function path(client: string, script: string): string {
  return client === "OpenAI" ? `${script}/models` : script;
}

for (const [name, get] of Object.entries(CLIENTS)) {
  Deno.test(`createFetch() serves ${name}: two refusals with Retry-After, then the answer`, async () => {
    const server = await startFaultServer({ "retry-after": "0.2" });
    try {
      const script = path(name, "/429,503,ok");
      const fetch = createFetch({ limiter: new RateLimiter() });
      assertEquals(await get(fetch, `${server.url}/429,503,ok`), "ok");
      const times = server.requests(script);
      assertEquals(times.length, 3);
      for (const [index, time] of times.slice(1).entries()) {
        assert(time - times[index]! >= 199);
      }
    } finally {
      await server.close();
    }
  });

  Deno.test(`retryWithBackoff() reads the errors of ${name}, and throws the last as it is`, async () => {
    const server = await startFaultServer({ "retry-after": "0.2" });
    try {
      const sources: string[] = [];
      const kinds: (string | undefined)[] = [];
      const error = await retryWithBackoff(
        () => get(globalThis.fetch, `${server.url}/429`),
        {
          config: { maxRetries: 2 },
          onRetry: ({ delaySource, delay, failure }) => {
            sources.push(`${delaySource} ${delay}`);
            kinds.push(`${failure.kind} ${failure.status}`);
          },
        },
      ).catch((error) => error);
      assert(error instanceof Error);
      assertEquals(sources, ["retry-after 0.2", "retry-after 0.2"]);
      assertEquals(kinds, ["status 429", "status 429"]);
      assertEquals(server.requests(path(name, "/429")).length, 3);
    } finally {
      await server.close();
    }
  });

  Deno.test(`retryWithBackoff() takes a broken connection in ${name} for a network failure`, async () => {
    const server = await startFaultServer();
    try {
      const kinds: string[] = [];
      await retryWithBackoff(
        () => get(globalThis.fetch, `${server.url}/reset`),
        {
          config: { maxRetries: 1, baseDelay: 0.001 },
          onRetry: ({ failure }) => void kinds.push(failure.kind),
        },
      ).catch((error) => error);
      assertEquals(kinds, ["network"]);
    } finally {
      await server.close();
    }
  });
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
