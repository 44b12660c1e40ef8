/**
 * A server that behaves like Jira Cloud's REST API v3, on its bad days: a worker
 * for the bulk export to try itself on. It refuses who is too fast, with the
 * headers that Jira sends, and now and then it fails, hangs up or stalls.
 *
 * @module
 */

import { faker } from "@faker-js/faker";
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What the export sends to start the server. */
export interface ServerSettings {
  /** Seed of everything that is random. */
  seed: number;
  /** How many issues there are. */
  issues: number;
}

/** What it answers when it listens. */
export interface ServerReady {
  /** Its address. */
  site: string;
  /** How many issues there are. */
  issues: number;
  /** Requests per second that it allows. */
  rate: number;
  /** How many may come at once after a pause. */
  burst: number;
}

/** Requests per second, and how many may come at once after a pause. */
const RATE = 50;
const BURST = 25;

/** What goes wrong, and how often. */
const FAULTS = [
  { value: "unavailable", weight: 3 },
  { value: "reset", weight: 2 },
  { value: "cut", weight: 1 },
  { value: "stall", weight: 1 },
  { value: "none", weight: 93 },
] as const;

interface Issue {
  id: string;
  key: string;
  fields: Record<string, unknown>;
}

function person() {
  return { displayName: faker.person.fullName(), active: true };
}

const text = (text: string) => ({ type: "text", text });
const paragraph = (words: string) => ({
  type: "paragraph",
  content: [text(words)],
});

/** The Atlassian Document Format, in which Jira stores all rich text. */
function richText(paragraphs: number) {
  const content: unknown[] = Array.from(
    { length: paragraphs },
    () => paragraph(faker.hacker.phrase()),
  );
  if (faker.datatype.boolean()) {
    const items = faker.helpers.multiple(() => ({
      type: "listItem",
      content: [paragraph(faker.git.commitMessage())],
    }), { count: 3 });
    content.push({ type: "bulletList", content: items });
  }
  return { type: "doc", version: 1, content };
}

function makeIssue(number: number): Issue {
  const created = faker.date.past({ years: 2 });
  const comments = faker.helpers.multiple(() => ({
    author: person(),
    created: faker.date.between({ from: created, to: faker.defaultRefDate() }),
    body: richText(1),
  }), { count: { min: 0, max: 4 } });
  return {
    id: String(10000 + number),
    key: `DEMO-${number}`,
    fields: {
      summary:
        `${faker.hacker.ingverb()} the ${faker.hacker.adjective()} ${faker.hacker.noun()}`,
      description: richText(faker.number.int({ min: 1, max: 4 })),
      issuetype: { name: faker.helpers.arrayElement(["Bug", "Story", "Task"]) },
      status: {
        name: faker.helpers.arrayElement(["To Do", "In Progress", "Done"]),
      },
      priority: { name: faker.helpers.arrayElement(["High", "Medium", "Low"]) },
      reporter: person(),
      assignee: faker.datatype.boolean() ? person() : null,
      labels: faker.helpers.multiple(() => faker.hacker.abbreviation(), {
        count: { min: 0, max: 3 },
      }),
      created,
      updated: faker.date.between({
        from: created,
        to: faker.defaultRefDate(),
      }),
      comment: { comments, total: comments.length },
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: unknown,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    ...headers,
  });
  response.end(JSON.stringify(body));
}

/** A token bucket, told as Jira tells it. */
class Limit {
  #tokens = BURST;
  #at = Date.now();

  take(): { allowed: boolean; headers: Record<string, string> } {
    const now = Date.now();
    const refill = (now - this.#at) / 1000 * RATE;
    this.#tokens = Math.min(BURST, this.#tokens + refill);
    this.#at = now;
    const allowed = this.#tokens >= 1;
    if (allowed) this.#tokens--;
    const headers: Record<string, string> = {
      "x-ratelimit-limit": String(BURST),
      "x-ratelimit-remaining": String(Math.floor(this.#tokens)),
    };
    if (!allowed) {
      headers["retry-after"] = "1";
      headers["ratelimit-reason"] = "jira-burst-based";
    }
    return { allowed, headers };
  }
}

function serve({ seed, issues: count }: ServerSettings) {
  faker.seed(seed);
  faker.setDefaultRefDate("2026-11-01");
  const issues = Array.from(
    { length: count },
    (_, index) => makeIssue(index + 1),
  );
  const byKey = new Map(issues.map((issue) => [issue.key, issue]));
  const limit = new Limit();

  function answer(url: URL): { status: number; body: unknown } {
    if (url.pathname === "/rest/api/3/search/jql") {
      const start = Number(url.searchParams.get("nextPageToken") ?? 0);
      const end = start + Number(url.searchParams.get("maxResults") ?? 50);
      const page = issues.slice(start, end).map(({ id, key }) => ({ id, key }));
      const more = end < issues.length;
      const next = more ? { nextPageToken: String(end) } : {};
      return { status: 200, body: { issues: page, isLast: !more, ...next } };
    }
    const key = url.pathname.match(/^\/rest\/api\/3\/issue\/([^/]+)$/)?.[1];
    const issue = key && byKey.get(key);
    return issue
      ? { status: 200, body: issue }
      : { status: 404, body: { errorMessages: ["Issue does not exist"] } };
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const { allowed, headers } = limit.take();
    if (!allowed) {
      send(response, 429, headers, { errorMessages: ["Rate limit exceeded"] });
      return;
    }
    const { status, body } = answer(new URL(request.url!, "http://jira"));
    switch (faker.helpers.weightedArrayElement(FAULTS)) {
      case "unavailable":
        return send(response, 503, headers, { errorMessages: ["Try later"] });
      case "reset":
        return void request.socket.resetAndDestroy();
      case "stall":
        return;
      case "cut": {
        const json = JSON.stringify(body);
        response.writeHead(status, { "content-length": String(json.length) });
        response.write(json.slice(0, 20), () => request.socket.destroy());
        return;
      }
      default:
        setTimeout(() => send(response, status, headers, body), 20);
    }
  }

  const server = createServer(handle);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    const site = `http://127.0.0.1:${port}`;
    self.postMessage({ site, issues: count, rate: RATE, burst: BURST });
  });
}

declare const self: {
  onmessage: (event: MessageEvent<ServerSettings>) => void;
  postMessage(ready: ServerReady): void;
};

self.onmessage = (event) => serve(event.data);
