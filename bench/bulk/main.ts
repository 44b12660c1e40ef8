// deno-lint-ignore-file no-console
/**
 * Brings 1,500 items home from rate-limited servers, with each client: how long
 * it takes against the best possible time, and how many requests are refused.
 *
 *     deno task bench:bulk                        # everything, about 10 minutes
 *     deno task bench:bulk --workers 256 --server nginx --client ky
 *
 * Prints the figures and, for a run of everything, writes `results.json` and the
 * pictures beside this file, and the table in the README.
 *
 * @module
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { writeReadmeTable } from "../readme_table.ts";
import { CLIENTS } from "./clients.ts";
import { drawPictures } from "./pictures.ts";
import { ITEMS, NGINX, SERVERS } from "./settings.ts";

/** One client on one server. */
export interface Run {
  server: string;
  client: string;
  workers: number;
  /** Time, to the best possible time. */
  ratio: number;
  /** Percent of the requests that were refused. */
  waste: number;
  /** Items that were not brought home. */
  lost: number;
  /** Seconds of processor time of the client's process. */
  cpu: number;
  /** Requests in each tenth of a second: accepted, refused. */
  timeline: [number, number][];
}

const here = new URL("./", import.meta.url);

interface Server {
  url: string;
  log(): Promise<[number, number][]>;
  stop(): Promise<void>;
}

async function startProcess(kind: string): Promise<Server> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--config",
      "bench/deno.json",
      "bench/bulk/server.ts",
      kind,
    ],
    stdout: "piped",
    stderr: "inherit",
  });
  const child = command.spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = (await reader.read()).value!.trim();
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    log: async () => await (await fetch(`${url}log`)).json(),
    stop: async () => {
      child.kill();
      await child.status;
      await reader.cancel();
    },
  };
}

/** nginx as Debian has it; `undefined` where it is not installed. */
async function startNginx(): Promise<Server | undefined> {
  const folder = await Deno.makeTempDir();
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const log = `${folder}/log`;
  // nginx's workers are another user.
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(`${folder}/body`, "{}");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  log_format bench '$msec $status';
  access_log ${log} bench;
  limit_req_zone $binary_remote_addr zone=bench:1m rate=${NGINX.rate}r/s;
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 100000;
    location / {
      limit_req zone=bench burst=${NGINX.burst} nodelay;
      limit_req_status 429;
      limit_req_log_level info;
      default_type application/json;
      root ${folder};
      try_files /body =404;
    }
  }
}`,
  );
  const command = new Deno.Command("nginx", {
    args: ["-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`],
    stderr: "null",
  });
  let child: Deno.ChildProcess;
  try {
    child = command.spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const url = `http://127.0.0.1:${port}/`;
  for (let tries = 0; tries < 100; tries++) {
    const up = await Deno.connect({ port, hostname: "127.0.0.1" })
      .then((connection) => connection.close(), () => "down");
    if (up !== "down") break;
    await new Promise((turn) => setTimeout(turn, 20));
  }
  return {
    url,
    log: async () => {
      const lines = (await Deno.readTextFile(log)).trim().split("\n");
      return lines.map((line) => {
        const [seconds, status] = line.split(" ");
        return [Number(seconds) * 1000, Number(status)];
      });
    },
    stop: async () => {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function run(
  server: string,
  client: string,
  workers: number,
): Promise<Run | undefined> {
  const running = server === "nginx"
    ? await startNginx()
    : await startProcess(server);
  if (!running) return undefined;
  try {
    const get = CLIENTS[client]!(workers);
    let taken = 0;
    let lost = 0;
    const before = process.cpuUsage();
    const start = performance.now();
    await Promise.all(Array.from({ length: workers }, async () => {
      while (taken < ITEMS) {
        taken++;
        await get(running.url).catch(() => lost++);
      }
    }));
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    const log = await running.log();
    const first = Math.min(...log.map(([at]) => at));
    const timeline: [number, number][] = [];
    for (const [at, status] of log) {
      const slot = Math.floor((at - first) / 100);
      while (timeline.length <= slot) timeline.push([0, 0]);
      timeline[slot]![status === 200 ? 0 : 1]++;
    }
    const refused = log.filter(([, status]) => status !== 200).length;
    return {
      server,
      client,
      workers,
      ratio: seconds / SERVERS[server]!.best(workers),
      waste: 100 * refused / log.length,
      lost,
      cpu: (user + system) / 1e6,
      timeline,
    };
  } finally {
    await running.stop();
  }
}

const { values } = parseArgs({
  options: {
    workers: { type: "string", default: "32" },
    server: { type: "string", multiple: true },
    client: { type: "string", multiple: true },
  },
});
const servers = values.server ?? Object.keys(SERVERS);
const clients = values.client ?? Object.keys(CLIENTS);
const workers = Number(values.workers);

// Clients take turns on each server, so that all meet the same machine.
const runs: Run[] = [];
for (const server of servers) {
  console.log(`\n${SERVERS[server]!.title}, ${workers} workers`);
  for (const client of clients) {
    const result = await run(server, client, workers);
    if (!result) {
      console.log("  not installed");
      break;
    }
    runs.push(result);
    console.log(
      `  ${client.padEnd(24)}${result.ratio.toFixed(2).padStart(6)}${
        result.waste.toFixed(1).padStart(7)
      } %${result.lost ? `  lost ${result.lost}` : ""}   cpu ${
        result.cpu.toFixed(2)
      } s`,
    );
  }
}

if (!values.server && !values.client && workers === 32) {
  const file = new URL("results.json", here);
  await Deno.writeTextFile(file, JSON.stringify(runs));
  await drawPictures(runs, here);
  await writeTable(runs);
}

/** Puts the figures between the two marks in the README. */
async function writeTable(runs: Run[]): Promise<void> {
  const cell = ({ ratio, waste, lost }: Run) =>
    `${ratio.toFixed(2)} / ${waste.toFixed(1)} %${
      lost ? `, lost ${lost}` : ""
    }`;
  const rows = servers.map((server) => [
    SERVERS[server]!.title,
    ...clients.map((client) => {
      const run = runs.find((run) =>
        run.server === server && run.client === client
      );
      return run ? cell(run) : "not installed";
    }),
  ]);
  await writeReadmeTable("bench:bulk", [["server", ...clients], ...rows]);
}
