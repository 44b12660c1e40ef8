/**
 * Other people's HTTP clients: how each makes one request with its own retries
 * off, and what it throws.
 *
 * @module
 */

import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import {
  createDefaultHttpClient,
  createPipelineRequest,
  RestError,
} from "@azure/core-rest-pipeline";
import { REST } from "@discordjs/rest";
import * as hubspot from "@hubspot/api-client";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import * as notion from "@notionhq/client";
import { graphql } from "@octokit/graphql";
import { request as octokit } from "@octokit/request";
import sendgrid from "@sendgrid/client";
import slack from "@slack/web-api";
import { generateText } from "ai";
import axios from "axios";
import { Gaxios } from "gaxios";
import got from "got";
import { GraphQLClient } from "graphql-request";
import { createCloudClient } from "jira.js";
import ky from "ky";
import nodeFetch from "node-fetch";
import nodeFetch2 from "node-fetch-2";
import { ofetch } from "ofetch";
import OpenAI from "openai";
import Stripe from "stripe";
import superagent from "superagent";
import * as undici from "undici";

/** How a client gets an answer, with the limit that it has been given. */
export type Get = (
  url: string,
  milliseconds: number,
  fetch?: typeof globalThis.fetch,
) => Promise<unknown>;

/** One client. */
export interface Client {
  readonly get: Get;
  /** The class of what it throws after a 429. */
  readonly error: string;
  /** JSON that it takes for an answer; `{}` if nothing is said. */
  readonly answer?: unknown;
  /** It takes a `fetch`. */
  readonly fetch?: true;
  /** It has no time limit, or throws an `AbortError` after it, which is final. */
  readonly patient?: true;
  /** It does not notice, or waits for ever, when a body ends too early. */
  readonly careless?: true;
}

const apiKey = "none";
const maxRetries = 0;
const model = "none";
const credentials = { accessKeyId: "none", secretAccessKey: "none" };

/** A client that does without what it is not given. */
function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

export const CLIENTS: Record<string, Client> = {
  "ky": {
    get: (url, timeout, fetch) =>
      ky.get(url, { retry: 0, timeout, ...given("fetch", fetch) }).json(),
    error: "HTTPError",
    fetch: true,
  },
  "axios": {
    get: (url, timeout) => axios.get(url, { timeout }),
    error: "AxiosError",
  },
  "axios with fetch": {
    get: (url, timeout, fetch) =>
      axios.get(url, { timeout, adapter: "fetch", env: given("fetch", fetch) }),
    error: "AxiosError",
    fetch: true,
  },
  "got": {
    get: (url, request) =>
      got(url, { retry: { limit: 0 }, timeout: { request } }).json(),
    error: "HTTPError",
  },
  "@octokit/request": {
    get: (url, milliseconds, fetch) => {
      const signal = AbortSignal.timeout(milliseconds);
      const request = { signal, ...given("fetch", fetch) };
      return octokit(`GET ${url}`, { request });
    },
    error: "RequestError",
    fetch: true,
    careless: true,
  },
  "@octokit/graphql": {
    get: (baseUrl, milliseconds, fetch) => {
      const signal = AbortSignal.timeout(milliseconds);
      const request = { signal, ...given("fetch", fetch) };
      return graphql("{ viewer { login } }", { baseUrl, request });
    },
    error: "RequestError",
    answer: { data: {} },
    careless: true,
  },
  "ofetch": {
    get: (url, timeout, fetch) =>
      ofetch.create({ retry: 0, timeout }, given("fetch", fetch))(url),
    error: "FetchError",
    fetch: true,
  },
  "superagent": {
    get: async (url, milliseconds) =>
      await superagent.agent().get(url).timeout(milliseconds),
    error: "Error",
  },
  "openai": {
    get: async (baseURL, timeout, fetch) => {
      const options = { apiKey, baseURL, maxRetries, timeout };
      const client = new OpenAI({ ...options, ...given("fetch", fetch) });
      return await client.models.list();
    },
    error: "RateLimitError",
    answer: { object: "list", data: [] },
    fetch: true,
  },
  "@anthropic-ai/sdk": {
    get: async (baseURL, timeout, fetch) => {
      const options = { apiKey, baseURL, maxRetries, timeout };
      const client = new Anthropic({ ...options, ...given("fetch", fetch) });
      return await client.models.list();
    },
    error: "RateLimitError",
    answer: { data: [] },
    fetch: true,
  },
  "ai with @ai-sdk/openai": {
    get: (baseURL, milliseconds, fetch) => {
      const options = { apiKey, baseURL, ...given("fetch", fetch) };
      const abortSignal = AbortSignal.timeout(milliseconds);
      return generateText({
        ...{ model: createOpenAI(options).chat(model), prompt: "hello" },
        ...{ maxRetries, abortSignal },
      });
    },
    error: "APICallError",
    answer: {
      ...{ id: "1", created: 1, model },
      choices: [{
        ...{ index: 0, finish_reason: "stop" },
        message: { role: "assistant", content: "hello" },
      }],
    },
  },
  "@aws-sdk/client-dynamodb": {
    get: (endpoint, requestTimeout) =>
      new DynamoDBClient({
        ...{ endpoint, credentials, region: "us-east-1", maxAttempts: 1 },
        requestHandler: { requestTimeout, throwOnRequestTimeout: true },
      }).send(new ListTablesCommand({})),
    error: "DynamoDBServiceException",
  },
  "@azure/core-rest-pipeline": {
    get: async (url, timeout) => {
      const request = createPipelineRequest({
        ...{ url, timeout, allowInsecureConnection: true },
      });
      const response = await createDefaultHttpClient().sendRequest(request);
      const { status: statusCode } = response;
      if (statusCode < 400) return JSON.parse(response.bodyAsText!);
      throw new RestError("refused", { statusCode, request, response });
    },
    error: "RestError",
    patient: true,
  },
  "jira.js": {
    get: (host) =>
      createCloudClient({
        host,
        auth: { type: "basic", email: "none@example.com", apiToken: "none" },
      }).serverInfo.getServerInfo(),
    error: "RateLimitError",
    patient: true,
  },
  "@hubspot/api-client": {
    get: (basePath) =>
      new hubspot.Client({ accessToken: "none", basePath })
        .crm.contacts.basicApi.getById("1"),
    error: "ApiException",
    patient: true,
  },
  "@sendgrid/client": {
    get: (baseUrl) =>
      sendgrid.request({ method: "GET", url: "/v3/stats", baseUrl }),
    patient: true,
    error: "ResponseError",
  },
  "@kubernetes/client-node": {
    get: (server) => {
      const config = new KubeConfig();
      config.loadFromOptions({
        clusters: [{ name: "local", server, skipTLSVerify: true }],
        users: [{ name: "none" }],
        contexts: [{ name: "local", cluster: "local", user: "none" }],
        currentContext: "local",
      });
      return config.makeApiClient(CoreV1Api).listNode();
    },
    error: "ApiException",
    answer: { kind: "NodeList", apiVersion: "v1", items: [] },
    patient: true,
    ..."Deno" in globalThis && { careless: true },
  },
  "@slack/web-api": {
    get: (url, timeout) =>
      new slack.WebClient("none", {
        ...{ slackApiUrl: `${url}/api/`, timeout },
        ...{ logLevel: slack.LogLevel.ERROR, rejectRateLimitedCalls: true },
        retryConfig: { retries: 0 },
      }).api.test(),
    error: "WebAPIRateLimitedError",
    answer: { ok: true },
  },
  "@discordjs/rest": {
    get: (api, timeout) =>
      new REST({ api, timeout, retries: 0, rejectOnRateLimit: () => true })
        .setToken("none").get("/users/@me"),
    error: "_RateLimitError",
    patient: true,
  },
  "@notionhq/client": {
    get: (baseUrl, timeoutMs, fetch) =>
      new notion.Client({
        ...{ auth: "none", baseUrl, timeoutMs, retry: false },
        ...{ logLevel: notion.LogLevel.ERROR, ...given("fetch", fetch) },
      }).users.list({}),
    error: "UnknownHTTPResponseError",
    fetch: true,
  },
  "gaxios": {
    get: (url, timeout) => new Gaxios().request({ url, timeout, retry: false }),
    error: "GaxiosError",
  },
  "graphql-request": {
    get: (url, milliseconds, fetch) =>
      new GraphQLClient(url, given("fetch", fetch)).request({
        document: "{ viewer }",
        signal: AbortSignal.timeout(milliseconds),
      }),
    error: "ClientError",
    answer: { data: {} },
  },
  "stripe": {
    get: (url, timeout) => {
      const { hostname: host, port } = new URL(url);
      return new Stripe("none", {
        ...{ host, port, protocol: "http", timeout, telemetry: false },
        maxNetworkRetries: 0,
      }).balance.retrieve();
    },
    error: "StripeRateLimitError",
  },
  "node-fetch 2": {
    get: async (url, timeout) => {
      const response = await nodeFetch2(url, { timeout });
      return response.ok ? await response.json() : response;
    },
    error: "HttpError",
    careless: true,
  },
  "node-fetch 3": {
    get: async (url) => {
      const response = await nodeFetch(url);
      return response.ok ? await response.json() : response;
    },
    error: "HttpError",
    patient: true,
  },
  ...undiciClient(),
};

/** Bun has an undici of its own, which lacks all that is tried here. */
function undiciClient(): Record<string, Client> {
  if ("Bun" in globalThis) return {};
  const dispatcher = new undici.Agent().compose(
    undici.interceptors.responseError(),
  );
  return {
    "undici": {
      get: async (url, headersTimeout) => {
        const options = { dispatcher, headersTimeout };
        return await (await undici.request(url, options)).body.json();
      },
      error: "ResponseError",
    },
  };
}
