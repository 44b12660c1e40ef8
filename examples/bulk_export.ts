// deno-lint-ignore-file no-console
/**
 * Exports the issues that a JQL query finds to Markdown files, with many
 * workers, from a Jira that refuses, hangs up and stalls.
 *
 *     deno task demo                      # against an embedded server
 *     JIRA_EMAIL=... JIRA_TOKEN=... deno task demo \
 *       --url https://example.atlassian.net --jql "project = DEMO" --out issues
 *
 * @module
 */

import { pooledMap } from "@std/async/pool";
// @ts-types="npm:@types/cli-progress@3.11.6"
import { Presets, SingleBar } from "cli-progress";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import {
  ensureOk,
  RateLimiter,
  type RetryEvent,
  retryWithBackoff,
} from "../mod.ts";
import { type JiraIssue, toMarkdown } from "./jira_markdown.ts";
import type { ServerSettings } from "./jira_server.ts";

const HELP = `Exports Jira issues to Markdown files.

  --url URL        the Jira site; without it, an embedded server
  --jql QUERY      which issues (default: order by key)
  --out FOLDER     where to (default: a new temporary folder)
  --workers N      how many at once (default: 16)
  --no-limiter     let every worker find the rate limit by itself
  --seed N         seed of the embedded server (default: random)

JIRA_TOKEN is sent to --url: with JIRA_EMAIL as an API token of Jira Cloud,
without it as a personal access token.`;

const { values: flags } = parseArgs({
  options: {
    url: { type: "string" },
    jql: { type: "string", default: "order by key" },
    out: { type: "string" },
    workers: { type: "string", default: "16" },
    "no-limiter": { type: "boolean" },
    seed: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (flags.help) {
  console.log(HELP);
  process.exit(0);
}

const workers = Number(flags.workers);
if (!Number.isInteger(workers) || workers < 1) {
  console.error(`--workers must be an integer >= 1: it is ${flags.workers}`);
  process.exit(2);
}

/** One signal for everything: Ctrl-C aborts every request and every wait. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
}

// What happened, for the summary.
let requests = 0;
let waited = 0;
const retries = new Map<string, number>();
const failures = new Map<string, unknown>();

function countRetry({ delay, failure }: RetryEvent): void {
  waited += delay;
  const kind = failure.kind === "status"
    ? `HTTP ${failure.status}`
    : failure.kind;
  retries.set(kind, (retries.get(kind) ?? 0) + 1);
}

function authorization(): Record<string, string> {
  const { JIRA_EMAIL, JIRA_TOKEN } = process.env;
  if (!flags.url || !JIRA_TOKEN) return {};
  return {
    authorization: JIRA_EMAIL
      ? `Basic ${btoa(`${JIRA_EMAIL}:${JIRA_TOKEN}`)}`
      : `Bearer ${JIRA_TOKEN}`,
  };
}

const headers = { accept: "application/json", ...authorization() };

/** What one worker learns of the rate limit, all obey. */
const limiter = flags["no-limiter"] ? undefined : new RateLimiter();

/** Every request of the export goes through here. */
function getJson<T>(url: URL): Promise<T> {
  return retryWithBackoff(async ({ signal }) => {
    requests++;
    const response = await fetch(url, { headers, signal });
    limiter?.observe(response);
    return await ensureOk(response).json() as T;
  }, {
    limiter,
    config: { maxRetries: 10, baseDelay: 0.5, maxDelay: 8 },
    attemptTimeout: flags.url ? 30 : 1.5,
    signal: stop.signal,
    onRetry: countRetry,
  });
}

interface Page {
  issues: { key: string }[];
  nextPageToken?: string;
}

/** Lists the keys page by page; each page says where the next one is. */
async function* listKeys(site: string): AsyncGenerator<string> {
  const url = new URL("/rest/api/3/search/jql", site);
  url.searchParams.set("jql", flags.jql);
  url.searchParams.set("fields", "key");
  url.searchParams.set("maxResults", "50");
  try {
    for (let more = true; more;) {
      const page = await getJson<Page>(url);
      for (const { key } of page.issues) {
        found++;
        yield key;
      }
      more = page.nextPageToken !== undefined;
      url.searchParams.set("nextPageToken", page.nextPageToken ?? "");
    }
  } catch (error) {
    failures.set("the list of issues", error);
  }
}

let found = 0;

/** Continue and report: what fails is told at the end. */
async function exportIssue(
  site: string,
  folder: string,
  key: string,
): Promise<boolean> {
  try {
    const url = new URL(`/rest/api/3/issue/${encodeURIComponent(key)}`, site);
    const issue = await getJson<JiraIssue>(url);
    await writeFile(join(folder, `${key}.md`), toMarkdown(issue));
    return true;
  } catch (error) {
    failures.set(key, error);
    return false;
  }
}

/** A bar on a terminal, a line now and then elsewhere. */
function showProgress() {
  if (process.stdout.isTTY) {
    const bar = new SingleBar({
      format: "{bar} {value}/{total} issues, {duration_formatted}",
      hideCursor: true,
    }, Presets.shades_classic);
    bar.start(0, 0);
    return {
      update(exported: number) {
        bar.setTotal(found);
        bar.update(exported);
      },
      stop: () => bar.stop(),
    };
  }
  return {
    update(exported: number) {
      if (exported % 50 === 0) console.log(`${exported} issues exported`);
    },
    stop() {},
  };
}

async function startServer(): Promise<{ site: string; worker: Worker }> {
  const seed = Number(flags.seed ?? Math.floor(Math.random() * 1e6));
  const worker = new Worker(new URL("./jira_server.ts", import.meta.url), {
    type: "module",
  });
  const settings: ServerSettings = { seed, issues: 300 };
  const site = await new Promise<string>((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(settings);
  });
  console.log(
    `Embedded server at ${site}: 300 issues, 50 requests/s, 7 % faults, seed ${seed}`,
  );
  return { site, worker };
}

async function main(): Promise<boolean> {
  const embedded = flags.url ? undefined : await startServer();
  const site = flags.url ?? embedded!.site;
  const folder = flags.out ?? await mkdtemp(join(tmpdir(), "bulk_export-"));
  await mkdir(folder, { recursive: true });
  console.log(`Exporting with ${workers} workers to ${folder}`);

  const started = performance.now();
  const progress = showProgress();
  let exported = 0;
  const results = pooledMap(
    workers,
    listKeys(site),
    (key: string) => exportIssue(site, folder, key),
  );
  for await (const done of results) {
    if (done) progress.update(++exported);
  }
  progress.stop();
  embedded?.worker.terminate();

  const seconds = (performance.now() - started) / 1000;
  const refused = retries.get("HTTP 429") ?? 0;
  const kinds = [...retries].map(([kind, count]) => `${count} x ${kind}`);
  console.log(`
Exported   ${exported} of ${found} issues in ${seconds.toFixed(1)} s
Requests   ${requests}, ${refused} of them refused for coming too fast${
    limiter ? "" : " (no limiter)"
  }
Retries    ${kinds.join(", ") || "none"}
Waited     ${waited.toFixed(1)} s, over all workers`);
  report();
  return exported === found && failures.size === 0;
}

/** Names each reason once, with some of what it kept from being exported. */
function report(): void {
  const byReason = Map.groupBy(failures, ([, error]) => String(error));
  for (const [reason, entries] of byReason) {
    const names = entries.slice(0, 5).map(([name]) => name).join(", ");
    const more = entries.length > 5 ? ` and ${entries.length - 5} more` : "";
    console.log(`Failed     ${names}${more}: ${reason}`);
  }
}

const complete = await main();
process.exit(stop.signal.aborted ? 130 : complete ? 0 : 1);
