/**
 * A user's program: three requests to a server that refuses two of them. Run
 * with the package installed beside it, by `import` and by `require`.
 *
 * @module
 */

import { createServer } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";

const HOW = {
  import: () => import("@jarkdown/retry"),
  require: () => createRequire(import.meta.url)("@jarkdown/retry"),
};
const { createFetch, HttpError, RateLimiter, retryWithBackoff } = await HOW
  [process.argv[2]]();

let requests = 0;
const server = createServer((_, response) => {
  const refused = ++requests % 3 !== 0;
  response.writeHead(refused ? 429 : 200, { "Retry-After": "0.01" });
  response.end(refused ? "later" : "here you are");
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

const direct = await retryWithBackoff(() => fetch(url));
const limited = createFetch({ limiter: new RateLimiter() });
const drop = await limited(url);
const texts = [await direct.text(), await drop.text()];
const error = await retryWithBackoff(() => fetch(url), {
  config: { maxRetries: 0 },
}).catch((error) => error);
await error.response.text();
server.closeAllConnections?.();
server.close();

const good = requests === 7 && texts.join() === "here you are,here you are" &&
  error instanceof HttpError && error.status === 429;
process.stdout.write(`${requests} requests, ${texts}, ${error.message}\n`);
process.exit(good ? 0 : 1);
