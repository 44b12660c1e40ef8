/**
 * Every function that is called as `fetch` is can be wrapped, and its own
 * classes go in and come out: what a strict compiler must say of undici's and
 * node-fetch's.
 *
 * @module
 */

import {
  createFetch,
  type FetchLike,
  type FetchOptions,
} from "@jarkdown/retry";
import nodeFetch, {
  Request as NodeFetchRequest,
  type Response as NodeFetchResponse,
} from "node-fetch";
import {
  Agent,
  fetch as undiciFetch,
  FormData as UndiciFormData,
  Request as UndiciRequest,
  type Response as UndiciResponse,
} from "undici";

export async function right(url: string): Promise<void> {
  const undici: typeof undiciFetch = createFetch({ fetch: undiciFetch });
  const dispatched: UndiciResponse = await undici(new UndiciRequest(url), {
    dispatcher: new Agent(),
    body: new UndiciFormData(),
    method: "PUT",
  });
  const node: typeof nodeFetch = createFetch({ fetch: nodeFetch });
  const piped: NodeFetchResponse = await node(new NodeFetchRequest(url));

  // They are the runtime's as well, for clients that ask for that.
  const fetches: (typeof fetch)[] = [
    createFetch(),
    createFetch(null),
    createFetch({ fetch }),
    createFetch({ fetch: undefined }),
    createFetch({ fetch: undiciFetch }),
    createFetch({ fetch: nodeFetch }),
    createFetch({ fetch: createFetch() }),
    createFetch({ fetch: (url: string) => Promise.resolve(new Response(url)) }),
    createFetch({ fetch: () => Promise.resolve({ status: 200 }) }),
    createFetch({ fetch: (...args) => fetch(...args), limiter: "per-origin" }),
  ];
  const likes: FetchLike[] = [fetch, undiciFetch, nodeFetch, ...fetches];
  const options: FetchOptions = {
    fetch: nodeFetch,
    limiter: ({ method, url, headers }) =>
      method === "GET" && url !== "" && headers.has("x") ? null : undefined,
  };
  const text: string = await (await createFetch(options)(url)).text();
  if (likes.length + dispatched.status + piped.status === text.length) return;
}

export function wrong(): void {
  // @ts-expect-error: it takes three
  createFetch({ fetch: (_a: string, _b: object, _c: number) => fetch("") });
  // @ts-expect-error: no promise
  createFetch({ fetch: () => new Response() });
  // @ts-expect-error: no response
  createFetch({ fetch: () => Promise.resolve("text") });
}
