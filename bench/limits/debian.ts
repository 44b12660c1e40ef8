/**
 * nginx and HAProxy as Debian has them, as processes in the foreground with a
 * configuration of their own.
 *
 * @module
 */

import { type Running, startProcess } from "./process.ts";

/** What nginx serves, and how it limits that. */
export interface NginxOptions {
  /** Directives of `http`, such as a `limit_req_zone`. */
  zone: string;
  /** Directives of the `location`, such as `limit_req`. */
  limit: string;
  /** Port of the server behind it; without one it serves a file. */
  backend?: number | undefined;
  /** Has each request's time and status written to a file. */
  log?: boolean | undefined;
}

/** nginx, which also tells its log: ms since the epoch, status. */
export interface RunningNginx extends Running {
  log(): Promise<[number, number][]>;
}

/**
 * Starts nginx.
 *
 * @throws {Deno.errors.NotFound} If it is not installed.
 */
export async function startNginx(
  port: number,
  { zone, limit, backend, log }: NginxOptions,
): Promise<RunningNginx> {
  const folder = await Deno.makeTempDir();
  // nginx's workers are another user.
  await Deno.chmod(folder, 0o755);
  await Deno.writeTextFile(`${folder}/body`, "{}");
  const source = backend === undefined
    ? `default_type application/json; root ${folder}; try_files /body =404;`
    : `proxy_pass http://backend; proxy_http_version 1.1;
       proxy_set_header Connection "";`;
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
worker_processes 1;
events { worker_connections 1024; }
http {
  log_format bench '$msec $status';
  access_log ${log ? `${folder}/log bench` : "off"};
  ${
      backend === undefined
        ? ""
        : `upstream backend { server 127.0.0.1:${backend}; keepalive 64; }`
    }
  ${zone}
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 100000;
    location / {
      ${limit}
      ${source}
    }
  }
}
`,
  );
  const running = await startProcess(
    "nginx",
    ["-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`],
    port,
  );
  return {
    ...running,
    log: async () => {
      const lines = (await Deno.readTextFile(`${folder}/log`)).trim();
      return lines.split("\n").map((line) => {
        const [seconds, status] = line.split(" ");
        return [Number(seconds) * 1000, Number(status)];
      });
    },
    stop: async () => {
      await running.stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** HAProxy's limit of requests from one address. */
export interface HaproxyOptions {
  limit: number;
  seconds: number;
  /** Port of the server behind it. */
  backend: number;
}

/**
 * Starts HAProxy, which refuses with a bare 429 while more than `limit` requests
 * came in the last `seconds`, refused ones among them.
 *
 * @throws {Deno.errors.NotFound} If it is not installed.
 */
export async function startHaproxy(
  port: number,
  { limit, seconds, backend }: HaproxyOptions,
): Promise<Running> {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(
    file,
    `global
  maxconn 2000
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
frontend limited
  bind 127.0.0.1:${port}
  stick-table type ip size 1k expire 120s store http_req_rate(${seconds}s)
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${limit} }
  default_backend items
backend items
  http-reuse always
  server one 127.0.0.1:${backend}
`,
  );
  const running = await startProcess("haproxy", ["-db", "-f", file], port);
  return {
    ...running,
    stop: async () => {
      await running.stop();
      await Deno.remove(file);
    },
  };
}
