import { assert, assertEquals } from "@std/assert";
import { Agent, get, type IncomingMessage } from "node:http";
import { PassThrough, type Readable } from "node:stream";
import { discardBody } from "./http/body.ts";
import {
  attemptsOf,
  createFetch,
  ensureOk,
  HttpError,
  retryWithBackoff,
} from "./mod.ts";
import { eventually } from "./testing/eventually.ts";
import {
  startFaultServer,
  withFaultServer,
} from "./tools/servers/fault_server.ts";

/** Short delays: what is real here is the network, not the waiting. */
const config = { baseDelay: 0.005, jitter: false };

/** A hanging request is given up soon; a slow machine must not hang. */
const patience = (path: string) => path.includes("hang") ? 0.3 : 30;

/** Script, requests it takes, kinds of the failures on the way. */
const RECOVERED: [string, number, string[]][] = [
  ["/ok", 1, []],
  ["/reset,ok", 2, ["network"]],
  ["/close,ok", 2, ["network"]],
  ["/cut,ok", 2, ["network"]],
  ["/garbage,ok", 2, ["network"]],
  ["/hang,ok", 2, ["timeout"]],
  ["/429,ok", 2, ["status"]],
  ["/big,ok", 2, ["status"]],
  ["/503,cut,hang,ok", 4, ["status", "network", "timeout"]],
];

for (const [path, requests, kinds] of RECOVERED) {
  Deno.test(`retryWithBackoff() gets through ${path} with fetch`, () =>
    withFaultServer(async (server) => {
      const met: string[] = [];
      const text = await retryWithBackoff(async ({ signal }) => {
        const response = await ensureOk(fetch(server.url + path, { signal }));
        return await response.text();
      }, {
        config,
        attemptTimeout: patience(path),
        onRetry: ({ failure }) => void met.push(failure.kind),
      });
      assertEquals(text, "ok");
      assertEquals(met, kinds);
      assertEquals(server.requests().length, requests);
    }));
}

for (const path of ["/reset", "/close", "/garbage", "/503", "/hang"]) {
  Deno.test(`retryWithBackoff() gives up on ${path} after four requests`, () =>
    withFaultServer(async (server) => {
      const error = await retryWithBackoff(
        ({ signal }) => fetch(server.url + path, { signal }),
        { config, attemptTimeout: patience(path) },
      ).catch((error) => error);
      assert(error instanceof Error);
      assertEquals(attemptsOf(error)?.length, 3);
      assertEquals(server.requests().length, 4);
      if (error instanceof HttpError) await error.response.body?.cancel();
    }));
}

for (const path of ["/404", "/401"]) {
  Deno.test(`retryWithBackoff() gives up on ${path} at once, the body unread`, () =>
    withFaultServer(async (server) => {
      const error = await retryWithBackoff(() => fetch(server.url + path))
        .catch((error) => error);
      assertEquals(await error.response.text(), path.slice(1));
      assertEquals(error.message.endsWith(path), true);
      assertEquals(server.requests().length, 1);
    }));
}

Deno.test("retryWithBackoff() does not come back before the server's Retry-After", () =>
  withFaultServer(async (server) => {
    const path = "/429,503,ok";
    const response = await retryWithBackoff(() => fetch(server.url + path));
    assertEquals(await response.text(), "ok");
    const gaps = server.gaps();
    assertEquals(gaps.length, 2);
    // The server's clock is the client's: a floor on both sides is 1 ms.
    for (const gap of gaps) assert(gap >= 199);
  }, { "retry-after": "0.2" }));

Deno.test("retryWithBackoff() frees the connection of a large refusal before it sleeps", () =>
  withFaultServer(async (server) => {
    let open = NaN;
    const response = await retryWithBackoff(
      () => {
        open = server.open();
        return fetch(server.url + "/big,big,ok");
      },
      { config: { baseDelay: 0.05, jitter: false } },
    );
    await response.text();
    assert(open <= 1, `${open} connections open before the last request`);
  }));

Deno.test("retryWithBackoff() ends real requests on the caller's abort", () =>
  withFaultServer(async (server) => {
    const controller = new AbortController();
    const calls = Array.from({ length: 20 }, () =>
      retryWithBackoff(
        ({ signal }) => fetch(server.url + "/hang", { signal }),
        { signal: controller.signal },
      ).catch((reason) => reason));
    await eventually(() => server.requests().length === 20);
    controller.abort("stop");
    assertEquals(await Promise.all(calls), Array(20).fill("stop"));
  }));

Deno.test("retryWithBackoff() takes a refused connection and an unknown host for a network failure", async () => {
  const server = await startFaultServer();
  await server.close();
  for (const url of [server.url, "http://host.invalid/"]) {
    const error = await retryWithBackoff(() => fetch(url), { config })
      .catch((error) => error);
    const kinds = attemptsOf(error)?.map(({ failure }) => failure.kind);
    assertEquals(kinds, ["network", "network", "network"]);
  }
});

Deno.test("retryWithBackoff() throws the caller's own mistakes with fetch at once", async () => {
  const used = new Response("once");
  await used.text();
  const mistakes = [
    () => fetch("no url at all"),
    () => fetch("foo://example.com/"),
    () => fetch("http://127.0.0.1/", { headers: { "bad name": "1" } }),
    () => used.text(),
  ];
  for (const mistake of mistakes) {
    const error = await retryWithBackoff<unknown>(mistake).catch((error) =>
      error
    );
    assert(error instanceof TypeError);
    assertEquals(attemptsOf(error), []);
  }
});

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

/** How clients of Node's `http` hand over a body that they have not read. */
const HANDED: Record<string, (message: IncomingMessage) => unknown> = {
  "Node's own": (message) => message,
  "axios' stream, thrown": (message) =>
    Object.assign(new Error("refused"), {
      response: { status: message.statusCode, data: message },
    }),
  "node-fetch 2's": (message) => ({
    status: message.statusCode,
    body: message.pipe(new PassThrough()).pipe(new PassThrough()),
  }),
};

for (const [name, handOver] of Object.entries(HANDED)) {
  Deno.test(`discardBody() frees the only connection of ${name} body`, () =>
    withFaultServer(async (server) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const refused = (): Promise<IncomingMessage> =>
        new Promise((resolve, reject) => {
          get(`${server.url}/big`, { agent }, resolve).on("error", reject);
        });
      for (let number = 1; number <= 3; number++) {
        discardBody(handOver(await refused()));
      }
      assertEquals(server.requests().length, 3);
      await eventually(() => server.open() === 0);
      agent.destroy();
    }));
}

Deno.test("discardBody() leaves no error of a destroyed stream uncaught", () =>
  withFaultServer(async (server) => {
    const message: IncomingMessage = await new Promise((resolve, reject) => {
      get(`${server.url}/cut`, resolve).on("error", reject);
    });
    const body: Readable = message.pipe(new PassThrough());
    discardBody({ status: 429, body });
    await eventually(() => message.destroyed);
    assert(message.destroyed && body.destroyed);
  }));
