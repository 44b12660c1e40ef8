/**
 * Runs the module in Chromium: on a page, in a dedicated worker and in a
 * service worker, against servers of its own origin and of another.
 *
 *     deno run -A tools/checks/browser.ts
 *
 * Takes Debian's `chromium`, a Chrome, or the program that CHROMIUM names.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, type Page } from "npm:playwright-core@1.65.1";
import { deno, inTemporaryFolder, report, ROOT } from "../runtimes/runtimes.ts";

const PROGRAMS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Chromium's own traffic would only meet a closed network. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM");
  for (const program of named === undefined ? PROGRAMS : [named]) {
    if (await Deno.stat(program).then(() => true, () => false)) return program;
  }
  throw new Error(
    "Cannot check browsers as there is no Chromium: install it, or name it in CHROMIUM",
  );
}

/** Files of a folder, and `/limited/ID`, which refuses the first request. */
async function serve(folder: string): Promise<Server> {
  const seen = new Set<string>();
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url!, "http://server");
    if (!pathname.startsWith("/limited/")) {
      const type = pathname.endsWith(".html") ? "text/html" : "text/javascript";
      response.setHeader("Content-Type", type);
      response.end(await Deno.readFile(folder + pathname));
      return;
    }
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (search === "?expose") {
      response.setHeader("Access-Control-Expose-Headers", "Retry-After");
    }
    const refused = !seen.has(pathname);
    seen.add(pathname);
    if (refused) response.setHeader("Retry-After", "1");
    response.writeHead(refused ? 429 : 200).end("here you are");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where to send requests: the page's origin, another, and where nobody is. */
interface Addresses {
  readonly own: string;
  readonly other: string;
  readonly closed: string;
}

// These functions run in the browser.
const CONTEXTS: Record<string, (addresses: Addresses) => Promise<unknown>> = {
  "a page": async (addresses) => {
    const proof = "/proof.mjs";
    return await (await import(proof)).prove(addresses);
  },
  "a dedicated worker": (addresses) =>
    new Promise((resolve, reject) => {
      const worker = new Worker("/worker.mjs", { type: "module" });
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = (event) => reject(event.message);
      worker.postMessage(addresses);
    }),
  "a service worker": async (addresses) => {
    // deno-lint-ignore no-explicit-any
    const { serviceWorker } = (globalThis as any).navigator;
    await serviceWorker.register("/worker.mjs", { type: "module" });
    const { active } = await serviceWorker.ready;
    return await new Promise((resolve) => {
      // deno-lint-ignore no-explicit-any
      serviceWorker.onmessage = (event: any) => resolve(event.data);
      active.postMessage(addresses);
    });
  },
};

const refusal = (source: string) => ({
  waits: [["status", source]],
  result: "here you are",
});

/** The header of another origin is seen where it is exposed, and only there. */
const EXPECTED = {
  same: refusal("retry-after"),
  exposed: refusal("retry-after"),
  hidden: refusal("backoff"),
  aborted: { waits: [["status", "retry-after"]], result: "enough" },
  refused: {
    waits: Array(3).fill(["network", "backoff"]),
    result: "TypeError",
  },
};

async function prove(page: Page, addresses: Addresses): Promise<boolean> {
  const results: boolean[] = [];
  for (const [name, context] of Object.entries(CONTEXTS)) {
    await page.goto(`${addresses.own}/page.html`);
    const seen = await page.evaluate(context, addresses);
    let text = "";
    try {
      assertEquals(seen, EXPECTED);
    } catch (error) {
      text = (error as Error).message;
    }
    results.push(report(`Chromium, ${name}`, { success: text === "", text }));
  }
  return results.every(Boolean);
}

const good = await inTemporaryFolder(async (folder) => {
  const output = `${folder}/retry.mjs`;
  await deno(
    ...["bundle", "--quiet", "--platform=browser"],
    ...["--output", output, "mod.ts"],
  );
  const assets = new URL("tools/checks/browser/", ROOT);
  for await (const { name } of Deno.readDir(assets)) {
    await Deno.copyFile(new URL(name, assets), `${folder}/${name}`);
  }
  const executablePath = await findChromium();
  const servers = [await serve(folder), await serve(folder)];
  const closed = await serve(folder);
  const addresses = {
    own: origin(servers[0]!),
    other: origin(servers[1]!),
    closed: origin(closed),
  };
  closed.close();
  const browser = await chromium.launch({
    executablePath,
    chromiumSandbox: false,
    args: QUIET,
  });
  try {
    return await prove(await browser.newPage(), addresses);
  } finally {
    await browser.close();
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
});
if (!good) Deno.exit(1);
