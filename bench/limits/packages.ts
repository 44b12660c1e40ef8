/**
 * Rate limiters from npm as servers use them: each in front of a handler that
 * takes its time, as its documentation sets it up.
 *
 * @module
 */

import type { AbstractHttpAdapter } from "@nestjs/core";
import type { RequestListener } from "node:http";

/** How a limiter from npm is set up. */
export interface PackageOptions {
  /** Requests in each window; a bucket's burst. */
  limit: number;
  /** Seconds of a window; a bucket fills at `limit / seconds`. */
  seconds: number;
  /** Makes each answer take as long as the server's work takes. */
  work: () => Promise<void>;
}

type Make = (options: PackageOptions) => Promise<RequestListener>;

const express =
  (standardHeaders: "draft-8" | false): Make =>
  async ({ limit, seconds, work }) => {
    const { default: express } = await import("express");
    const { rateLimit } = await import("express-rate-limit");
    const app = express();
    app.use(rateLimit({
      windowMs: seconds * 1000,
      limit,
      legacyHeaders: !standardHeaders,
      standardHeaders,
    }));
    app.get(
      "/",
      async (_: unknown, response: { json(value: unknown): void }) => {
        await work();
        response.json({});
      },
    );
    return app as unknown as RequestListener;
  };

const fastify: Make = async ({ limit, seconds, work }) => {
  const { default: fastify } = await import("fastify");
  const { default: rateLimit } = await import("@fastify/rate-limit");
  const app = fastify();
  await app.register(rateLimit, { max: limit, timeWindow: seconds * 1000 });
  app.get("/", async () => {
    await work();
    return {};
  });
  await app.ready();
  return (request, response) => app.routing(request, response);
};

const koa: Make = async ({ limit, seconds, work }) => {
  const { default: Koa } = await import("koa");
  const { default: rateLimit } = await import("koa-ratelimit");
  const app = new Koa();
  app.use(rateLimit({
    driver: "memory",
    db: new Map(),
    duration: seconds * 1000,
    max: limit,
  }));
  app.use(async (context: { body: unknown }) => {
    await work();
    context.body = {};
  });
  return app.callback();
};

const hono: Make = async ({ limit, seconds, work }) => {
  const { Hono } = await import("hono");
  const { rateLimiter } = await import("hono-rate-limiter");
  const { getRequestListener } = await import("@hono/node-server");
  const app = new Hono();
  app.use(rateLimiter({
    windowMs: seconds * 1000,
    limit,
    standardHeaders: "draft-6",
    keyGenerator: () => "all",
  }));
  app.get("/", async (context) => {
    await work();
    return context.json({});
  });
  return getRequestListener(app.fetch) as unknown as RequestListener;
};

/** The middleware of its documentation, with or without the headers. */
const flexible =
  (headers: boolean): Make => async ({ limit, seconds, work }) => {
    const { RateLimiterMemory } = await import("rate-limiter-flexible");
    const limiter = new RateLimiterMemory({ points: limit, duration: seconds });
    interface Left {
      msBeforeNext: number;
      remainingPoints: number;
    }
    const told = ({ msBeforeNext, remainingPoints }: Left) =>
      headers
        ? {
          "Retry-After": String(msBeforeNext / 1000),
          "X-RateLimit-Limit": String(limit),
          "X-RateLimit-Remaining": String(remainingPoints),
          "X-RateLimit-Reset": String(
            Math.ceil((Date.now() + msBeforeNext) / 1000),
          ),
        }
        : {};
    return async (_, response) => {
      let left: Left;
      try {
        left = await limiter.consume("all");
      } catch (refusal) {
        response.writeHead(429, told(refusal as Left)).end("Too Many Requests");
        return;
      }
      const { "Retry-After": _unused, ...rest } = told(left);
      await work();
      response.writeHead(200, rest).end("{}");
    };
  };

/** Its throttle plugin alone, as the rest of it does not run everywhere. */
const restify: Make = async ({ limit, seconds, work }) => {
  const { default: throttle } = await import("restify/lib/plugins/throttle.js");
  const plugin = throttle({
    burst: limit,
    rate: limit / seconds,
    ip: true,
    setHeaders: true,
  });
  const log = { trace() {}, info() {}, warn() {} };
  return (request, response) => {
    const asked = {
      connection: request.socket,
      url: request.url,
      method: request.method,
      headers: request.headers,
      log,
    };
    const answer = {
      header: (name: string, value: number) =>
        response.setHeader(name, String(value)),
    };
    plugin(asked, answer, async (error?: { statusCode: number }) => {
      if (!error) await work();
      response.statusCode = error?.statusCode ?? 200;
      response.end("{}");
    });
  };
};

/** Its windows go by a timer, which begins here with the first request. */
const moleculer: Make = async ({ limit, seconds, work }) => {
  const { ServiceBroker } = await import("moleculer");
  const { default: ApiGateway } = await import("moleculer-web");
  const start = async () => {
    const broker = new ServiceBroker({ logger: false });
    const gateway = broker.createService({
      name: "api",
      mixins: [ApiGateway],
      settings: {
        server: false,
        rateLimit: { window: seconds * 1000, limit, headers: true },
        routes: [{ path: "/", aliases: { "GET /": "items.get" } }],
      },
    });
    broker.createService({
      name: "items",
      actions: {
        async get() {
          await work();
          return {};
        },
      },
    });
    await broker.start();
    return (gateway as unknown as { express(): RequestListener }).express();
  };
  let started: Promise<RequestListener> | undefined;
  return async (request, response) => {
    started ??= start();
    (await started)(request, response);
  };
};

const nest: Make = async ({ limit, seconds, work }) => {
  await import("reflect-metadata");
  const { Controller, Get, Module } = await import("@nestjs/common");
  const { APP_GUARD, NestFactory } = await import("@nestjs/core");
  const { ExpressAdapter } = await import("@nestjs/platform-express");
  const { ThrottlerGuard, ThrottlerModule } = await import("@nestjs/throttler");
  class Items {
    async get() {
      await work();
      return {};
    }
  }
  // What decorators do, without their syntax.
  Get()(
    Items.prototype,
    "get",
    Object.getOwnPropertyDescriptor(Items.prototype, "get")!,
  );
  Controller()(Items);
  class Application {}
  Module({
    imports: [ThrottlerModule.forRoot([{ ttl: seconds * 1000, limit }])],
    controllers: [Items],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  })(Application);
  // Of another copy of the same types.
  const adapter = new ExpressAdapter() as unknown as AbstractHttpAdapter;
  const app = await NestFactory.create(Application, adapter, { logger: false });
  await app.init();
  return app.getHttpAdapter().getInstance() as RequestListener;
};

/** The limiters, by the name that a row of the bench has for them. */
export const PACKAGES = {
  "express-legacy": express(false),
  "express-draft-8": express("draft-8"),
  "fastify": fastify,
  "koa": koa,
  "hono": hono,
  "flexible": flexible(true),
  "flexible-bare": flexible(false),
  "restify": restify,
  "moleculer": moleculer,
  "nest": nest,
} satisfies Record<string, Make>;

/** The name of a limiter from npm. */
export type PackageName = keyof typeof PACKAGES;
