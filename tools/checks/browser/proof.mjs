/**
 * What has to hold in every context of a browser: on a page, in a worker, in a
 * service worker.
 *
 * @module
 */

import { retryWithBackoff } from "./retry.mjs";

const config = { baseDelay: 0.01, maxDelay: 0.02 };

/** A call, the waits it made, and what it came to. */
async function call(url, options = {}) {
  const waits = [];
  const onRetry = (event) => {
    waits.push([event.failure.kind, event.delaySource]);
    options.during?.();
  };
  const { signal = null } = options;
  const result = await retryWithBackoff(
    async (attempt) => {
      const response = await fetch(url, { signal: attempt.signal });
      return response.ok ? await response.text() : response;
    },
    { config, onRetry, signal },
  ).catch((error) => error?.name ?? error);
  return { waits, result };
}

export async function prove({ own, other, closed }) {
  const abort = new AbortController();
  const [same, exposed, hidden, aborted, refused] = await Promise.all([
    call(`${own}/limited/${crypto.randomUUID()}`),
    call(`${other}/limited/${crypto.randomUUID()}?expose`),
    call(`${other}/limited/${crypto.randomUUID()}`),
    call(`${own}/limited/${crypto.randomUUID()}`, {
      signal: abort.signal,
      during: () => abort.abort("enough"),
    }),
    call(closed),
  ]);
  return { same, exposed, hidden, aborted, refused };
}
