/**
 * Requests that were never sent, since no connection was made: whatever their
 * method is, they can be sent again.
 *
 * @module
 */

import { causes, field, items, text } from "../http/fields.ts";

/** No address, nobody there, no answer to the first packet. */
const CODES = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ENOTFOUND",
  "ERR_SOCKET_CONNECTION_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused", // Bun
  "FailedToOpenSocket", // Bun
]);
/** What Node was about, whatever came of it. */
const CALLS = new Set(["connect", "getaddrinfo"]);
/** Deno has no codes. */
const DENO = ": client error (Connect): ";

/**
 * Whether `error` says that no connection to `url` could be made. One to another
 * place does not count: who was redirected was heard.
 */
export function isUnsent(error: unknown, url: string): boolean {
  const place = parse(url);
  const isUnmade = (link: unknown) =>
    isConnecting(link) && !isElsewhere(link, place);
  return causes(error).some((link) => {
    // One for each address of the host.
    const several = items(field(link, "errors"));
    return several.length > 0 ? several.every(isUnmade) : isUnmade(link);
  });
}

function isConnecting(link: unknown): boolean {
  return CODES.has(text(link, "code")) || CALLS.has(text(link, "syscall")) ||
    text(link, "message").includes(DENO);
}

/** Whether it tells a connection to another place than the request's. */
function isElsewhere(link: unknown, place: URL | undefined): boolean {
  if (!place) return false;
  const message = text(link, "message");
  const told = / for url \((\S+)\): /.exec(message)?.[1]; // Deno
  if (told) return parse(told)?.origin !== place.origin;
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

/** An IPv6 address without its brackets, as Node has it. */
function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
