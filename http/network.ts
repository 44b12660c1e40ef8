/**
 * Network failures by their codes, names and wording: which may pass, and which
 * will not.
 *
 * @module
 */

import { causes, field, text } from "./fields.ts";

function whole(...patterns: string[]): RegExp {
  return new RegExp(`^(?:${patterns.join("|")})$`, "s");
}

/** What may pass, as `code` or as `name: message`. */
const TRANSIENT = /* @__PURE__ */ whole(
  // Node: ECONNRESET, EHOSTUNREACH, ENETDOWN, ETIMEDOUT, ESOCKETTIMEDOUT, ...
  "E(?:(?:CONN|HOST|NET)\\w+|(?:SOCKET)?TIMED?OUT|ADDRNOTAVAIL|AI_AGAIN|NOTFOUND|PIPE)",
  "ERR_(?:(?:SOCKET_CONNECTION|TLS_HANDSHAKE)_TIMEOUT|STREAM_PREMATURE_CLOSE)",
  "Z_BUF_ERROR", // a compressed body that ends too early
  // Something that is not HTTP; but headers that are too long stay so.
  "HPE_(?!HEADER_OVERFLOW).*",
  // Sessions and streams that ended; all others are the caller's mistakes.
  "ERR_HTTP2_(?:(?:\\w+_)?(?:SESSION|STREAM)(?:_CANCEL|_ERROR|S)?",
  "ERROR|PING_CANCEL|SOCKET_UNBOUND)",
  // undici
  "UND_ERR_(?:\\w+_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH|SOCKET)",
  "HTTPParserError: .*",
  // Bun: ConnectionClosed, -Refused, -Reset
  "Connection[CR]\\w+|FailedToOpenSocket|Malformed_HTTP_Response",
  "(?:Zlib|(?:Brotli|Zstd)Decompression)Error",
  // axios, AWS SDK 2, Azure, Firebase, Angular
  "ERR_NETWORK|NetworkingError|REQUEST_SEND_ERROR",
  "\\w+/network-request-failed|HttpErrorResponse: .*: 0 Unknown Error",
  // `fetch`: a TypeError with another message is the caller's own mistake.
  "TypeError: (?:fetch failed|terminated", // Node, Deno
  "error (?:sending request|reading a body|decoding response).*", // Deno
  "unexpected end of file|reached unexpected EOF", // Deno, of a compressed body
  "Failed to fetch.*|network error", // Chromium
  "NetworkError when attempting.*|Error in (?:input|body) stream.*", // Firefox
  "Load failed.*|A network error occurred.*", // Safari
  ".*(?:connection was lost|appears to be offline|request timed out).*", // Safari
  "Could not connect to.*|.*hostname could not be found.*", // Safari
  "Network request failed.*)", // React Native
  ".*: Network connection lost.*", // Cloudflare's Workers: no TypeError
);

/** What clients say of it that have no status to tell: `code: message` too. */
const UNANSWERED = /* @__PURE__ */ whole(
  // axios, of a body cut short; it has the same code for one that is too long
  "ERR_BAD_RESPONSE: (?!.*(?:exceeded|JSON)).*",
  "PARSE_ERROR: Error reading.*", // Azure
  "FetchError: (?:system|Premature.*)", // node-fetch, by its `type`
  "(?:Connection|Network)Error: .*", // Elasticsearch, CCXT
);

/** What will not pass, as `code` or `message`: certificates, bad requests. */
const PERMANENT = /* @__PURE__ */ whole(
  "\\w*CERT\\w*|(?:CRL|ERR_INVALID|HOSTNAME|INVALID|UNABLE_TO)_\\w+",
  "UND_ERR_(?:CLOSED|DESTROYED|HEADERS_OVERFLOW|INVALID|NOT_SUPPORTED|REQ_CONTENT).*",
  "TooManyRedirects|UnexpectedRedirect", // Bun
  "(?:bad port|unknown scheme|redirect count|unexpected redirect).*", // Node
  "Fetch failed: .*", // Deno, of ports that are blocked and of redirects
  ".*(?:(?:peer|self[- ]signed|first|issuer) certificate|certificate(?:'s| has)).*",
);

const ADDRESS = /\bhttps?:\S+/g;

function isPermanent(link: unknown): boolean {
  return PERMANENT.test(text(link, "code")) ||
    PERMANENT.test(text(link, "message").replace(ADDRESS, ""));
}

/**
 * Whether it is what `fetch` rejects with when the network breaks, given that
 * `fetch` is what rejected: by its standard, any `TypeError`.
 */
export function isFetchFailure(error: unknown): boolean {
  return text(error, "name") === "TypeError" &&
    !causes(error).some(isPermanent);
}

/**
 * Whether one link of a chain of causes is a network that broke. Some clients
 * give that a status all the same.
 */
export function isNetwork(
  link: object,
  chain: readonly object[],
  status: number | undefined,
): boolean {
  const code = text(link, "code");
  const name = text(link, "name");
  const message = text(link, "message");
  const broken = TRANSIENT.test(code) ||
    TRANSIENT.test(`${name}: ${message}`) ||
    !status && (
        UNANSWERED.test(`${code}: ${message}`) ||
        UNANSWERED.test(`${name}: ${message}`) ||
        UNANSWERED.test(`${name}: ${text(link, "type")}`) ||
        field(link, "isRetryable") === true // AI SDK, when all else is lost
      );
  return broken && !chain.some(isPermanent);
}
