/**
 * A table of HTTP clients' errors: where they keep the status, the headers,
 * their own wait and what caused it. To know another client is to add a name
 * here and a case to the test.
 *
 * @module
 */

/** What holds the answer, where the error itself does not. */
export const HOLDERS: readonly string[] = [
  "response", // axios, got, ky, ofetch, Octokit, SendGrid, Shopify, Telegraf
  "$response", // AWS SDK
  "$metadata", // AWS SDK
  "rawResponse", // SDKs made by Fern and Speakeasy
  "responseInfo", // Box
  "meta", // Elasticsearch
  "parameters", // grammY, Telegraf
  "rawError", // discord.js
];

/** The status, from what is surely one to what may be something else. */
export const STATUS: readonly string[] = [
  "status", // fetch, axios, ky, ofetch, Octokit, OpenAI, Anthropic, Notion
  "statusCode", // undici, got, AI SDK, Stripe, Azure, Slack, Microsoft Graph
  "httpStatusCode", // AWS SDK
  "responseStatusCode", // Kiota: Microsoft Graph
  "httpStatus", // tRPC
  "code", // OpenAPI generators: HubSpot, Kubernetes, SendGrid, Cosmos DB, X
  "error_code", // grammY, Telegraf
];

/** The headers, in any shape that `toHeaders` knows. */
export const HEADERS: readonly string[] = [
  "headers",
  "responseHeaders", // AI SDK, Kiota, Adyen
];

/**
 * A client's own wait: its unit in seconds, and the fields in which it is told.
 * Where there is the first, the longest of all of them is meant.
 */
export const WAITS: readonly (readonly [number, ...string[]])[] = [
  [0.001, "timeToReset", "retryAfter"], // discord.js
  [0.001, "retryAfterMs"], // jira.js
  [0.001, "retryAfterInMs"], // Cosmos DB
  [0.001, "msBeforeNext"], // rate-limiter-flexible
  [1, "retryAfter"], // Slack, Shopify, Linear, what a caller put there
  [1, "retryAfterSeconds"], // AWS SDK, where the service's model has it
  [1, "retry_after"], // grammY, Telegraf, Discord's body
];

/** What an error is named by, beside the name of its class. */
export const NAMES: readonly string[] = [
  "name",
  "code", // AWS SDK 2, Stripe, OpenAI, Slack, Notion
  "type", // Linear, node-fetch
];

/** The errors that an answer lists, GraphQL's above all. */
export const LISTS: readonly string[] = [
  "errors", // Octokit, Linear, graphql-request, Google
  "graphQLErrors", // Apollo, urql, Shopify
];

/** What each of the listed errors is named by, itself or in its `extensions`. */
export const LISTED: readonly string[] = [
  "type", // GitHub: RATE_LIMITED
  "code", // Shopify: THROTTLED, Linear: RATELIMITED
  "reason", // Google: userRateLimitExceeded, with a 403
];

/**
 * The names of a rate limit, a line each, some of which come with a 400
 * ({@link https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html | AWS},
 * Linear, older Stripe), GraphQL's with a 200.
 */
export const THROTTLED: RegExp =
  /(?:rate[ _-]?limit(?:ed|_?exceeded|reached)?|throttl(?:ed|ing)|too[_-]?many[_-]?requests|resource[_-]exhausted|throughputexceeded)(?:_?(?:error|exception))?\b|^(?:(?:bandwidth|request)?limitexceeded(?:exception)?|priorrequestnotcomplete|slowdown|transactioninprogressexception)$/im;

/** What caused an error, whatever the client calls it. */
export const LINKS: readonly string[] = [
  "cause",
  "lastError", // AI SDK, after its own retries
  "networkError", // Apollo, urql
  "original", // Slack
  "requestError", // twitter-api-v2
  "detail", // Stripe
  "exception", // Stripe, further down
  "raw", // Linear
  "error", // gaxios, request, ErrorEvent
  "context", // Supabase
  "data", // tRPC
];
