/**
 * Processes of the bench: each server and each client is one, and all that were
 * started end with the bench.
 *
 * @module
 */

/** A server that listens. */
export interface Running {
  url: string;
  stop(): Promise<void>;
}

const children = new Set<Deno.ChildProcess>();

// They would outlive the bench otherwise.
Deno.addSignalListener("SIGINT", endAll);
Deno.addSignalListener("SIGTERM", endAll);

function endAll(): void {
  for (const child of children) child.kill("SIGTERM");
  Deno.exit(130);
}

/**
 * A port that nobody listens on. Not one that the system hands out to clients:
 * while the server is down, a client would be connected with itself.
 */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(12_000 * Math.random());
    try {
      Deno.listen({ port, hostname: "127.0.0.1" }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Starts a server, and waits until it listens at `port`. */
export async function startProcess(
  command: string,
  args: string[],
  port: number,
): Promise<Running> {
  const child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  children.add(child);
  let over = false;
  const end = child.status.then(() => {
    over = true;
    children.delete(child);
  });
  const stop = async () => {
    if (!over) child.kill("SIGTERM");
    await end;
  };
  for (let tries = 0; tries < 600 && !over; tries++) {
    try {
      (await Deno.connect({ port, hostname: "127.0.0.1" })).close();
      return { url: `http://127.0.0.1:${port}/`, stop };
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
  await stop();
  throw new Error(`Cannot start '${command} ${args.join(" ")}'`);
}

/** Runs a process for some seconds at most, and gives what it printed. */
export async function runProcess(
  command: string,
  args: string[],
  seconds: number,
): Promise<string> {
  const child = new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  children.add(child);
  const bound = setTimeout(() => child.kill("SIGKILL"), seconds * 1000);
  const { success, stdout } = await child.output();
  clearTimeout(bound);
  children.delete(child);
  if (!success) throw new Error(`'${command} ${args.join(" ")}' failed`);
  return new TextDecoder().decode(stdout);
}
