/**
 * Requests that were never sent, since no connection was made: whatever their
 * method is, they can be sent again.
 *
 * @module
 */

import { causes, field, items, text } from "../http/fields.ts";

/** No address, nobody there, no answer to the first packet. */
const CODES =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ERR_SOCKET_CONNECTION_TIMEOUT|ConnectionRefused|FailedToOpenSocket)$/;
/** What Node was about. */
const CALLS = /^(?:connect|getaddrinfo|query\w*)$/;
/** Deno has no codes. */
const DENO = /: client error \(Connect\)/;

/** How deep errors of several attempts are looked into. */
const DEPTH = 2;

/**
 * Whether `error` says that no connection to `url` could be made. One to another
 * place does not count: who was redirected was heard.
 */
export function isUnsent(error: unknown, url: string): boolean {
  return isUnmade(error, parse(url), 0);
}

function isUnmade(
  error: unknown,
  place: URL | undefined,
  depth: number,
): boolean {
  if (depth > DEPTH) return false;
  return causes(error).some((link) => {
    // One for each address of the host.
    const several = items(field(link, "errors"));
    return several.length > 0
      ? several.every((one) => isUnmade(one, place, depth + 1))
      : isConnecting(link) && !isElsewhere(link, place);
  });
}

function isConnecting(link: object): boolean {
  return CODES.test(text(link, "code")) || CALLS.test(text(link, "syscall")) ||
    DENO.test(text(link, "message"));
}

/** Whether it tells a connection to another place than the request's. */
function isElsewhere(link: object, place: URL | undefined): boolean {
  if (!place) return false;
  const message = text(link, "message");
  const told = / for url \((\S+)\): /.exec(message)?.[1]; // Deno
  if (told !== undefined) return parse(told)?.origin !== place.origin;
  const hostname = text(link, "hostname"); // Node
  if (hostname !== "" && hostname !== bare(place.hostname)) return true;
  const port = field(link, "port") ?? // Node
    /attempted address(?:es)?: \S*:(\d+)/.exec(message)?.[1]; // undici
  return port !== undefined && Number(port) !== portOf(place);
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url);
  } catch {
    return undefined; // relative: nobody knows to what
  }
}

function portOf({ port, protocol }: URL): number {
  return Number(port) || (protocol === "https:" ? 443 : 80);
}

/** An IPv6 address without its brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
