/**
 * Answers of APIs as their documentation shows them, and what they say: the
 * cases of the table of dialects, and what `docs/apis.md` is made of.
 *
 * @module
 */

/** One answer of an API at {@linkcode WHEN}. */
export interface Answer {
  readonly headers: { readonly [name: string]: string };
  /** The seconds that it asks to wait if it is a refusal; `null`: nothing. */
  readonly delay?: number | null;
  /** The tightest limit that it tells; `null`: none that holds anybody back. */
  readonly left?: {
    readonly remaining: number;
    readonly limit?: number;
    readonly reset?: number;
  } | null;
}

/** An API, or what many stand behind. */
export interface Api {
  readonly name: string;
  /** Where its headers are documented. */
  readonly source: string;
  /** Its headers are known to the writer, and were not seen in a source. */
  readonly unseen?: true;
  /** What to set for it, in Markdown. */
  readonly set?: string;
  readonly answers: readonly Answer[];
}

/** When all of them were sent: 1795608000 in Unix seconds. */
export const WHEN: number = Date.UTC(2026, 10, 25, 12);

export const APIS: readonly Api[] = [
  {
    name: "The RateLimit draft, -08 and later",
    source:
      "https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/",
    answers: [
      {
        headers: {
          "RateLimit": '"sliding";r=5;t=44',
          "RateLimit-Policy":
            '"sliding";q=100;w=60;burst=1000, "fixed";q=5000;w=3600;burst=0',
        },
        left: { remaining: 5, limit: 100, reset: 44 },
      },
      {
        headers: {
          "RateLimit": '"minute";r=0;t=23, "hour";r=0;t=1800',
        },
        delay: 1800,
      },
      {
        headers: {
          "RateLimit": '"peruser";r=900;t=10, "conn";r=2;t=1',
          "RateLimit-Policy":
            '"peruser";q=65535;qu="content-bytes";w=10, "conn";q=10;qu="concurrent-requests"',
        },
        left: { remaining: 2, limit: 10, reset: 1 },
      },
      {
        headers: {
          "RateLimit": '"a, b; r=0; t=9 \\"quoted\\"";r=3;t=7',
        },
        left: { remaining: 3, reset: 7 },
      },
      {
        headers: {
          "RateLimit": '"default";r=0;t=abc',
        },
        left: null,
      },
      {
        headers: {
          "RateLimit": '"default";r=0;t=60',
          "Age": "120",
          "Date": "Wed, 25 Nov 2026 11:58:00 GMT",
        },
        left: null,
      },
    ],
  },
  {
    name: "The RateLimit draft, renamed parameters",
    source: "https://github.com/ietf-wg-httpapi/ratelimit-headers/pull/166",
    answers: [
      {
        headers: {
          "RateLimit": '"points";a=40;w=45;c=10',
          "RateLimit-Policy": '"points";q=1000;w=60',
        },
        left: { remaining: 4, limit: 100, reset: 45 },
      },
      {
        headers: {
          "RateLimit": '"burst";a=0;w=45',
          "RateLimit-Policy": '"burst";q=100;w=60',
        },
        delay: 45,
      },
    ],
  },
  {
    name: "The RateLimit draft, policies that are tokens",
    source: "https://github.com/ietf-wg-httpapi/ratelimit-headers/pull/130",
    answers: [
      {
        headers: {
          "RateLimit": "burst;r=0;t=5, daily;r=900;t=250",
        },
        delay: 5,
        left: { remaining: 0, reset: 5 },
      },
    ],
  },
  {
    name: "The RateLimit draft, -07",
    source:
      "https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-07",
    answers: [
      {
        headers: {
          "RateLimit": "limit=100, remaining=8, reset=47",
          "RateLimit-Policy": "100;w=60",
        },
        left: { remaining: 8, limit: 100, reset: 47 },
      },
    ],
  },
  {
    name: "The RateLimit draft, to -06",
    source:
      "https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "100",
          "RateLimit-Policy": "100;w=60",
          "RateLimit-Remaining": "8",
          "RateLimit-Reset": "47",
        },
        left: { remaining: 8, limit: 100, reset: 47 },
      },
    ],
  },
  {
    name: "AbuseIPDB",
    source: "https://docs.abuseipdb.com/#api-daily-rate-limits",
    unseen: true,
    answers: [
      {
        headers: {
          "Retry-After": "29241",
          "X-RateLimit-Limit": "1000",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795637241",
        },
        delay: 29241,
      },
    ],
  },
  {
    name: "Aircall",
    source: "https://developer.aircall.io/api-references/#rate-limiting",
    answers: [
      {
        headers: {
          "X-AircallApi-Limit": "60",
          "X-AircallApi-Remaining": "12",
          "X-AircallApi-Reset": "1795608035",
        },
        left: { remaining: 12, limit: 60, reset: 35 },
      },
    ],
  },
  {
    name: "Airtable",
    source: "https://airtable.com/developers/web/api/rate-limits",
    unseen: true,
    set:
      "`limiter: new RateLimiter({ rate: 5 })`: no header tells anything, and a refusal lasts 30 s",
    answers: [
      {
        headers: {
          "Content-Type": "application/json",
        },
        delay: null,
      },
    ],
  },
  {
    name: "Akamai",
    source: "https://techdocs.akamai.com/cloudlets/v2/reference/rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "30",
          "X-RateLimit-Next": "2026-11-25T12:00:30.000Z",
          "X-RateLimit-Remaining": "0",
        },
        delay: 30,
      },
    ],
  },
  {
    name: "Anthropic",
    source: "https://docs.anthropic.com/en/api/rate-limits#response-headers",
    set: "Tokens close the limiter at 0 and are not counted down",
    answers: [
      {
        headers: {
          "anthropic-ratelimit-input-tokens-limit": "80000",
          "anthropic-ratelimit-input-tokens-remaining": "80000",
          "anthropic-ratelimit-input-tokens-reset": "2026-11-25T12:00:00Z",
          "anthropic-ratelimit-requests-limit": "1000",
          "anthropic-ratelimit-requests-remaining": "6",
          "anthropic-ratelimit-requests-reset": "2026-11-25T12:00:40Z",
        },
        left: { remaining: 6, limit: 1000, reset: 40 },
      },
      {
        headers: {
          "anthropic-ratelimit-input-tokens-limit": "80000",
          "anthropic-ratelimit-input-tokens-remaining": "0",
          "anthropic-ratelimit-input-tokens-reset": "2026-11-25T12:00:25Z",
          "anthropic-ratelimit-requests-limit": "1000",
          "anthropic-ratelimit-requests-remaining": "900",
          "anthropic-ratelimit-requests-reset": "2026-11-25T12:00:03Z",
        },
        delay: 25,
        left: { remaining: 0, limit: 80000, reset: 25 },
      },
    ],
  },
  {
    name: "ASP.NET Core",
    source:
      "https://learn.microsoft.com/en-us/aspnet/core/performance/rate-limit",
    set: "`refusalStatusCodes: [503]`, its default",
    answers: [
      {
        headers: {
          "Content-Length": "0",
        },
        delay: null,
      },
    ],
  },
  {
    name: "AspNetCoreRateLimit",
    source:
      "https://github.com/stefanprodan/AspNetCoreRateLimit/wiki/Response-headers",
    unseen: true,
    answers: [
      {
        headers: {
          "X-Rate-Limit-Limit": "1m",
          "X-Rate-Limit-Remaining": "9",
          "X-Rate-Limit-Reset": "2026-11-25T12:00:40.1234567Z",
        },
        left: { remaining: 9, reset: 40.1234567 },
      },
    ],
  },
  {
    name: "Auth0",
    source:
      "https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "10",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795608002",
        },
        delay: 2,
      },
      {
        headers: {
          "Auth0-Client-Quota-Limit":
            "b=per_hour;q=100;r=90;t=3600,b=per_day;q=1000;r=3;t=4000",
        },
        left: { remaining: 3, limit: 1000, reset: 4000 },
      },
    ],
  },
  {
    name: "AWS API Gateway",
    source:
      "https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html",
    answers: [
      {
        headers: {
          "x-amzn-ErrorType": "TooManyRequestsException",
        },
        delay: null,
      },
      {
        headers: {
          "x-amz-retry-after": "1500",
        },
        delay: 1.5,
      },
    ],
  },
  {
    name: "Azure Cosmos DB",
    source:
      "https://learn.microsoft.com/en-us/rest/api/cosmos-db/common-cosmosdb-rest-response-headers",
    answers: [
      {
        headers: {
          "x-ms-retry-after-ms": "840",
        },
        delay: 0.84,
      },
    ],
  },
  {
    name: "Azure DevOps",
    source:
      "https://learn.microsoft.com/en-us/azure/devops/integrate/concepts/rate-limits",
    set: "What is used up is slowed down there, not refused",
    answers: [
      {
        headers: {
          "Retry-After": "2",
          "X-RateLimit-Delay": "1.5",
          "X-RateLimit-Limit": "200",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795608300",
          "X-RateLimit-Resource": "Analytics",
        },
        left: null,
        delay: 2,
      },
    ],
  },
  {
    name: "Azure OpenAI",
    source:
      "https://learn.microsoft.com/en-us/azure/ai-services/openai/how-to/quota",
    answers: [
      {
        headers: {
          "retry-after": "26",
          "retry-after-ms": "25200",
          "x-ratelimit-remaining-tokens": "0",
          "x-ratelimit-reset-tokens": "26",
        },
        delay: 25.2,
      },
      {
        headers: {
          "x-ratelimit-limit-tokens": "-1",
          "x-ratelimit-remaining-tokens": "-1",
          "x-ratelimit-reset-tokens": "0",
        },
        left: null,
      },
    ],
  },
  {
    name: "Azure Resource Graph",
    source:
      "https://learn.microsoft.com/en-us/azure/governance/resource-graph/concepts/guidance-for-throttled-requests",
    answers: [
      {
        headers: {
          "x-ms-user-quota-remaining": "0",
          "x-ms-user-quota-resets-after": "00:00:03",
        },
        delay: 3,
        left: { remaining: 0, reset: 3 },
      },
    ],
  },
  {
    name: "Azure Resource Manager",
    source:
      "https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/request-limits-and-throttling",
    answers: [
      {
        headers: {
          "x-ms-ratelimit-remaining-resource":
            "Microsoft.Compute/GetVMScaleSet3Min;2,Microsoft.Compute/GetVMScaleSet30Min;1297",
          "x-ms-ratelimit-remaining-subscription-reads": "11999",
        },
        left: { remaining: 2 },
      },
    ],
  },
  {
    name: "BigCommerce",
    source:
      "https://docs.bigcommerce.com/developer/docs/overview/api-fundamentals/rate-limits",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Requests-Left": "3",
          "X-Rate-Limit-Requests-Quota": "150",
          "X-Rate-Limit-Time-Reset-Ms": "15000",
          "X-Rate-Limit-Time-Window-Ms": "30000",
        },
        left: { remaining: 3, limit: 150, reset: 15 },
      },
    ],
  },
  {
    name: "Bitbucket Cloud",
    source:
      "https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "1000",
          "X-RateLimit-NearLimit": "false",
          "X-RateLimit-Resource": "api",
        },
        left: null,
      },
    ],
  },
  {
    name: "BitMEX",
    source: "https://www.bitmex.com/app/restAPI#Limits",
    unseen: true,
    answers: [
      {
        headers: {
          "x-ratelimit-limit": "120",
          "x-ratelimit-remaining": "50",
          "x-ratelimit-remaining-1s": "4",
          "x-ratelimit-reset": "1795608020",
        },
        left: { remaining: 4, reset: 1 },
      },
    ],
  },
  {
    name: "Bitvavo",
    source: "https://docs.bitvavo.com/docs/rate-limits/",
    answers: [
      {
        headers: {
          "bitvavo-ratelimit-limit": "1000",
          "bitvavo-ratelimit-remaining": "5",
          "bitvavo-ratelimit-resetat": "1795608041000",
        },
        left: { remaining: 5, limit: 1000, reset: 41 },
      },
    ],
  },
  {
    name: "Bluesky",
    source: "https://docs.bsky.app/docs/advanced-guides/rate-limits",
    unseen: true,
    answers: [
      {
        headers: {
          "RateLimit-Limit": "3000",
          "RateLimit-Policy": "3000;w=300",
          "RateLimit-Remaining": "12",
          "RateLimit-Reset": "1795608100",
        },
        left: { remaining: 12, limit: 3000, reset: 100 },
      },
    ],
  },
  {
    name: "Box",
    source:
      "https://developer.box.com/guides/api-calls/permissions-and-errors/rate-limits/",
    answers: [
      {
        headers: {
          "Retry-After": "15",
        },
        delay: 15,
      },
    ],
  },
  {
    name: "Brevo",
    source: "https://developers.brevo.com/docs/limit-headers",
    answers: [
      {
        headers: {
          "x-sib-ratelimit-limit": "1000",
          "x-sib-ratelimit-remaining": "0",
          "x-sib-ratelimit-reset": "2",
        },
        delay: 2,
        left: { remaining: 0, limit: 1000, reset: 2 },
      },
    ],
  },
  {
    name: "Bucket4j, OpenSky",
    source:
      "https://openskynetwork.github.io/opensky-api/rest.html#limitations",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Remaining": "0",
          "X-Rate-Limit-Retry-After-Seconds": "1800",
        },
        delay: 1800,
      },
    ],
  },
  {
    name: "Bybit",
    source: "https://bybit-exchange.github.io/docs/v5/rate-limit",
    answers: [
      {
        headers: {
          "X-Bapi-Limit": "20",
          "X-Bapi-Limit-Reset-Timestamp": "1795608000750",
          "X-Bapi-Limit-Status": "0",
        },
        delay: 0.75,
        left: { remaining: 0, limit: 20, reset: 0.75 },
      },
    ],
  },
  {
    name: "Cerebras",
    source: "https://inference-docs.cerebras.ai/support/rate-limits",
    answers: [
      {
        headers: {
          "x-ratelimit-limit-requests-day": "1000000",
          "x-ratelimit-limit-tokens-minute": "60000",
          "x-ratelimit-remaining-requests-day": "999997",
          "x-ratelimit-remaining-tokens-minute": "0",
          "x-ratelimit-reset-requests-day": "33011.382867",
          "x-ratelimit-reset-tokens-minute": "11.5",
        },
        delay: 11.5,
        left: { remaining: 0, limit: 60000, reset: 11.5 },
      },
    ],
  },
  {
    name: "Cloudflare API",
    source:
      "https://developers.cloudflare.com/fundamentals/api/reference/limits/",
    answers: [
      {
        headers: {
          "Ratelimit": '"default";r=5;t=30',
          "Ratelimit-Policy": '"default";q=1200;w=300',
        },
        left: { remaining: 5, limit: 1200, reset: 30 },
      },
    ],
  },
  {
    name: "Cloudinary",
    source: "https://cloudinary.com/documentation/admin_api#usage_limits",
    answers: [
      {
        headers: {
          "X-FeatureRateLimit-Limit": "500",
          "X-FeatureRateLimit-Remaining": "0",
          "X-FeatureRateLimit-Reset": "Wed, 25 Nov 2026 13:00:00 GMT",
        },
        delay: 3600,
        left: { remaining: 0, limit: 500, reset: 3600 },
      },
    ],
  },
  {
    name: "Cohere",
    source: "https://docs.cohere.com/docs/rate-limits",
    answers: [
      {
        headers: {
          "x-endpoint-monthly-call-limit": "1000",
          "x-trial-endpoint-call-limit": "40",
          "x-trial-endpoint-call-remaining": "3",
        },
        left: { remaining: 3, limit: 40 },
      },
    ],
  },
  {
    name: "CoinGlass",
    source: "https://docs.coinglass.com/reference/responses-error-codes",
    answers: [
      {
        headers: {
          "API-KEY-MAX-LIMIT": "30",
          "API-KEY-USE-LIMIT": "28",
        },
        left: { remaining: 2, limit: 30 },
      },
    ],
  },
  {
    name: "Composio",
    source: "https://docs.composio.dev/reference/rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit": "20000",
          "X-RateLimit-Remaining": "7",
          "X-RateLimit-Window-Size": "600s",
        },
        left: { remaining: 7, limit: 20000 },
      },
    ],
  },
  {
    name: "Confluence Cloud",
    source: "https://developer.atlassian.com/cloud/confluence/rate-limiting/",
    answers: [
      {
        headers: {
          "Beta-RateLimit": '"tenant-app-quota";r=0;t=2107',
          "X-RateLimit-NearLimit": "true",
        },
        left: null,
        delay: null,
      },
    ],
  },
  {
    name: "Contentful",
    source:
      "https://www.contentful.com/developers/docs/references/content-management-api/#/introduction/api-rate-limits",
    answers: [
      {
        headers: {
          "X-Contentful-RateLimit-Hour-Limit": "36000",
          "X-Contentful-RateLimit-Hour-Remaining": "35883",
          "X-Contentful-RateLimit-Reset": "1",
          "X-Contentful-RateLimit-Second-Limit": "7",
          "X-Contentful-RateLimit-Second-Remaining": "0",
        },
        delay: 1,
        left: { remaining: 0, limit: 7, reset: 1 },
      },
    ],
  },
  {
    name: "Datadog",
    source: "https://docs.datadoghq.com/api/latest/rate-limits/",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Name": "logs_public_search_api",
          "X-RateLimit-Period": "60",
          "X-RateLimit-Remaining": "4",
          "X-RateLimit-Reset": "12",
        },
        left: { remaining: 4, limit: 100, reset: 12 },
      },
    ],
  },
  {
    name: "Dataverse",
    source:
      "https://learn.microsoft.com/en-us/power-apps/developer/data-platform/api-limits",
    answers: [
      {
        headers: {
          "x-ms-ratelimit-burst-remaining-xrm-requests": "5999",
          "x-ms-ratelimit-time-remaining-xrm-requests": "1,200.00",
        },
        left: { remaining: 5999 },
      },
    ],
  },
  {
    name: "DigitalOcean",
    source:
      "https://docs.digitalocean.com/reference/api/#section/Introduction/Rate-Limit",
    answers: [
      {
        headers: {
          "ratelimit-limit": "5000",
          "ratelimit-remaining": "6",
          "ratelimit-reset": "1795608060",
        },
        left: { remaining: 6, limit: 5000, reset: 60 },
      },
      {
        headers: {
          "ratelimit-limit": "5000",
          "ratelimit-remaining": "0",
          "ratelimit-reset": "1795611000",
          "retry-after": "20",
        },
        delay: 20,
      },
    ],
  },
  {
    name: "Discogs",
    source:
      "https://www.discogs.com/developers/#page:home,header:home-rate-limiting",
    answers: [
      {
        headers: {
          "X-Discogs-Ratelimit": "60",
          "X-Discogs-Ratelimit-Remaining": "2",
          "X-Discogs-Ratelimit-Used": "58",
        },
        left: { remaining: 2, limit: 60 },
      },
    ],
  },
  {
    name: "Discord",
    source: "https://discord.com/developers/docs/topics/rate-limits",
    set:
      "a limiter for each route and top-level resource, one more with `rate: 50` for all",
    answers: [
      {
        headers: {
          "X-RateLimit-Bucket": "abcd1234",
          "X-RateLimit-Limit": "5",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795608004.57",
          "X-RateLimit-Reset-After": "4.57",
        },
        delay: 4.57,
        left: { remaining: 0, limit: 5, reset: 4.57 },
      },
      {
        headers: {
          "X-RateLimit-Limit": "5",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795608034.57",
          "X-RateLimit-Reset-After": "4.57",
        },
        delay: 4.57,
        left: { remaining: 0, limit: 5, reset: 4.57 },
      },
    ],
  },
  {
    name: "Django REST framework",
    source: "https://www.django-rest-framework.org/api-guide/throttling/",
    answers: [
      {
        headers: {
          "Retry-After": "41",
        },
        delay: 41,
      },
    ],
  },
  {
    name: "Docker Hub",
    source: "https://docs.docker.com/docker-hub/usage/pulls/",
    answers: [
      {
        headers: {
          "docker-ratelimit-source": "192.0.2.1",
          "ratelimit-limit": "100;w=21600",
          "ratelimit-remaining": "3;w=21600",
        },
        left: { remaining: 3, limit: 100 },
      },
    ],
  },
  {
    name: "DocuSign",
    source: "https://developers.docusign.com/platform/resource-limits/",
    answers: [
      {
        headers: {
          "X-BurstLimit-Limit": "500",
          "X-BurstLimit-Remaining": "4",
          "X-RateLimit-Limit": "3000",
          "X-RateLimit-Remaining": "2900",
          "X-RateLimit-Reset": "1795610000",
        },
        left: { remaining: 4, limit: 500 },
      },
    ],
  },
  {
    name: "Digi-Key",
    source:
      "https://developer.digikey.com/documentation/shared-concepts#rate-limits",
    answers: [
      {
        headers: {
          "X-BurstLimit-Limit": "120",
          "X-BurstLimit-Remaining": "0",
          "X-BurstLimit-Reset": "25",
          "X-RateLimit-Limit": "1000",
          "X-RateLimit-Remaining": "900",
        },
        delay: 25,
        left: { remaining: 0, limit: 120, reset: 25 },
      },
    ],
  },
  {
    name: "Envoy, Istio, Pinterest, Roblox",
    source:
      "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rate_limit_filter",
    answers: [
      {
        headers: {
          "x-ratelimit-limit": '10, 10;w=1;name="per-ip", 1000;w=3600',
          "x-ratelimit-remaining": "4",
          "x-ratelimit-reset": "1",
        },
        left: { remaining: 4, limit: 10, reset: 1 },
      },
    ],
  },
  {
    name: "Etsy",
    source: "https://developers.etsy.com/documentation/essentials/rate-limits/",
    answers: [
      {
        headers: {
          "x-limit-per-day": "10000",
          "x-limit-per-second": "10",
          "x-remaining-this-second": "3",
          "x-remaining-today": "9120",
        },
        left: { remaining: 3, limit: 10, reset: 1 },
      },
      {
        headers: {
          "x-limit-per-day": "10000",
          "x-limit-per-second": "10",
          "x-remaining-this-second": "9",
          "x-remaining-today": "0",
        },
        left: { remaining: 0, limit: 10000 },
      },
    ],
  },
  {
    name: "Fastly",
    source: "https://www.fastly.com/documentation/reference/api/#rate-limiting",
    answers: [
      {
        headers: {
          "Fastly-RateLimit-Remaining": "2",
          "Fastly-RateLimit-Reset": "1795608290",
        },
        left: { remaining: 2, reset: 290 },
      },
    ],
  },
  {
    name: "Feishu, Lark",
    source:
      "https://open.feishu.cn/document/server-docs/api-call-guide/frequency-control",
    set: "some of its refusals are 400: `shouldRetry`",
    answers: [
      {
        headers: {
          "x-ogw-ratelimit-limit": "100",
          "x-ogw-ratelimit-reset": "7",
        },
        delay: 7,
      },
    ],
  },
  {
    name: "@fastify/rate-limit",
    source: "https://github.com/fastify/fastify-rate-limit#readme",
    answers: [
      {
        headers: {
          "x-ratelimit-limit": "100",
          "x-ratelimit-remaining": "8",
          "x-ratelimit-reset": "47",
        },
        left: { remaining: 8, limit: 100, reset: 47 },
      },
    ],
  },
  {
    name: "Flask-Limiter",
    source: "https://flask-limiter.readthedocs.io/en/stable/configuration.html",
    answers: [
      {
        headers: {
          "Retry-After": "Wed, 25 Nov 2026 12:00:31 GMT",
          "X-RateLimit-Limit": "10",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "1795608031",
        },
        delay: 31,
        left: { remaining: 0, limit: 10, reset: 31 },
      },
    ],
  },
  {
    name: "football-data.org",
    source: "https://docs.football-data.org/general/v4/policies.html",
    answers: [
      {
        headers: {
          "X-RequestCounter-Reset": "45",
          "X-Requests-Available-Minute": "0",
        },
        delay: 45,
        left: { remaining: 0, reset: 45 },
      },
    ],
  },
  {
    name: "Freshdesk",
    source: "https://developers.freshdesk.com/api/#ratelimit",
    answers: [
      {
        headers: {
          "X-RateLimit-Remaining": "6",
          "X-RateLimit-Total": "700",
          "X-RateLimit-Used-CurrentRequest": "2",
        },
        left: { remaining: 3, limit: 350 },
      },
    ],
  },
  {
    name: "Gate",
    source:
      "https://www.gate.com/docs/developers/apiv4/en/#frequency-limit-rule",
    answers: [
      {
        headers: {
          "X-Gate-RateLimit-Limit": "200",
          "X-Gate-RateLimit-Requests-Remain": "0",
          "X-Gate-RateLimit-Reset-Timestamp": "1795608007",
        },
        delay: 7,
        left: { remaining: 0, limit: 200, reset: 7 },
      },
    ],
  },
  {
    name: "GitHub",
    source:
      "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api",
    set:
      "a limiter for each resource (core, search, code search, graphql), and `maxConcurrent` for its secondary limits",
    answers: [
      {
        headers: {
          "x-ratelimit-limit": "5000",
          "x-ratelimit-remaining": "12",
          "x-ratelimit-reset": "1795608200",
          "x-ratelimit-resource": "core",
          "x-ratelimit-used": "4988",
        },
        left: { remaining: 12, limit: 5000, reset: 200 },
      },
      {
        headers: {
          "x-ratelimit-limit": "5000",
          "x-ratelimit-remaining": "4200",
          "x-ratelimit-reset": "1795609320",
          "x-ratelimit-resource": "core",
          "x-ratelimit-used": "800",
        },
        delay: null,
      },
    ],
  },
  {
    name: "GitLab",
    source:
      "https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "60",
          "RateLimit-Name": "throttle_authenticated_web",
          "RateLimit-Observed": "55",
          "RateLimit-Remaining": "5",
          "RateLimit-Reset": "1795608044",
          "RateLimit-ResetTime": "Wed, 25 Nov 2026 12:00:44 GMT",
        },
        left: { remaining: 5, limit: 60, reset: 44 },
      },
    ],
  },
  {
    name: "GoHighLevel",
    source: "https://marketplace.gohighlevel.com/docs/other/rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit-Daily-Remaining": "150000",
          "X-RateLimit-Interval-Milliseconds": "10000",
          "X-RateLimit-Limit-Daily": "200000",
          "X-RateLimit-Max": "100",
          "X-RateLimit-Remaining": "2",
        },
        left: { remaining: 2, limit: 100, reset: 10 },
      },
    ],
  },
  {
    name: "Google APIs, Gemini",
    source: "https://cloud.google.com/apis/design/errors",
    set:
      "the wait is in the body (`RetryInfo.retryDelay`): `throw Object.assign(error, { retryAfter: seconds })`",
    answers: [
      {
        headers: {
          "Content-Type": "application/json; charset=UTF-8",
        },
        delay: null,
      },
    ],
  },
  {
    name: "Gorgias",
    source: "https://developers.gorgias.com/reference/limitations",
    answers: [
      {
        headers: {
          "Retry-after": "3",
          "X-Gorgias-Account-Api-Call-Limit": "40/40",
        },
        delay: 3,
        left: { remaining: 0, limit: 40 },
      },
    ],
  },
  {
    name: "Gravitee",
    source:
      "https://documentation.gravitee.io/apim/create-and-configure-apis/apply-policies/policy-reference/rate-limit",
    unseen: true,
    answers: [
      {
        headers: {
          "X-Quota-Limit": "1000",
          "X-Quota-Remaining": "3",
          "X-Quota-Reset": "1795610000000",
          "X-Rate-Limit-Limit": "10",
          "X-Rate-Limit-Remaining": "9",
          "X-Rate-Limit-Reset": "1795608001000",
        },
        left: { remaining: 3, limit: 1000, reset: 2000 },
      },
    ],
  },
  {
    name: "Groq",
    source: "https://console.groq.com/docs/rate-limits",
    answers: [
      {
        headers: {
          "x-ratelimit-limit-requests": "14400",
          "x-ratelimit-limit-tokens": "18000",
          "x-ratelimit-remaining-requests": "14370",
          "x-ratelimit-remaining-tokens": "0",
          "x-ratelimit-reset-requests": "2m59.56s",
          "x-ratelimit-reset-tokens": "7.66s",
        },
        delay: 7.66,
        left: { remaining: 0, limit: 18000, reset: 7.66 },
      },
    ],
  },
  {
    name: "Gusto",
    source:
      "https://docs.gusto.com/embedded-payroll/changelog/added-rate-limit-headers",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "200",
          "X-RateLimit-Remaining": "8",
          "X-RateLimit-Reset": "2026-11-25 05:00:40 -0700",
        },
        left: { remaining: 8, limit: 200, reset: 40 },
      },
    ],
  },
  {
    name: "HAProxy",
    source: "https://docs.haproxy.org/3.2/configuration.html#deny_status",
    set: "`refusalStatusCodes: [403]`, unless `deny_status 429` is set",
    answers: [
      {
        headers: {
          "Content-Type": "text/html",
        },
        delay: null,
      },
    ],
  },
  {
    name: "Heroku",
    source:
      "https://devcenter.heroku.com/articles/platform-api-reference#rate-limits",
    answers: [
      {
        headers: {
          "RateLimit-Remaining": "2400",
        },
        left: { remaining: 2400 },
      },
    ],
  },
  {
    name: "HubSpot",
    source:
      "https://developers.hubspot.com/docs/guides/apps/api-usage/usage-details",
    answers: [
      {
        headers: {
          "X-HubSpot-RateLimit-Daily": "250000",
          "X-HubSpot-RateLimit-Daily-Remaining": "200000",
          "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
          "X-HubSpot-RateLimit-Max": "100",
          "X-HubSpot-RateLimit-Remaining": "4",
          "X-HubSpot-RateLimit-Secondly": "10",
          "X-HubSpot-RateLimit-Secondly-Remaining": "9",
        },
        left: { remaining: 4, limit: 100, reset: 10 },
      },
    ],
  },
  {
    name: "IBM Verify Access",
    source:
      "https://www.ibm.com/docs/en/sva/11.0.3?topic=stanza-add-response-headers",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Policy": "search",
          "X-Rate-Limit-Remaining": "3",
          "X-Rate-Limit-Reset": "1795608020",
        },
        left: { remaining: 3, reset: 20 },
      },
    ],
  },
  {
    name: "Imgur",
    source: "https://apidocs.imgur.com/",
    answers: [
      {
        headers: {
          "X-RateLimit-ClientLimit": "12500",
          "X-RateLimit-ClientRemaining": "12400",
          "X-RateLimit-UserLimit": "500",
          "X-RateLimit-UserRemaining": "0",
          "X-RateLimit-UserReset": "1795609000",
        },
        delay: 1000,
        left: { remaining: 0, limit: 500, reset: 1000 },
      },
    ],
  },
  {
    name: "Intercom, SendGrid",
    source:
      "https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "83",
          "X-RateLimit-Remaining": "2",
          "X-RateLimit-Reset": "1795608009",
        },
        left: { remaining: 2, limit: 83, reset: 9 },
      },
    ],
  },
  {
    name: "Jira Cloud",
    source:
      "https://developer.atlassian.com/cloud/jira/platform/rate-limiting/",
    answers: [
      {
        headers: {
          "RateLimit": '"global-app-quota";r=11000;t=600',
          "RateLimit-Policy": '"global-app-quota";q=65000;w=3600',
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Remaining": "2",
        },
        left: { remaining: 2, limit: 100 },
      },
      {
        headers: {
          "RateLimit-Reason": "jira-burst-based",
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "2026-11-25T12:01Z",
        },
        delay: 60,
        left: { remaining: 0, limit: 100, reset: 60 },
      },
      {
        headers: {
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "2026-11-25T11:59Z",
        },
        delay: null,
      },
      {
        headers: {
          "Beta-RateLimit": '"global-app-quota";r=0;t=50',
          "Beta-Retry-After": "50",
        },
        left: null,
        delay: null,
      },
    ],
  },
  {
    name: "Jira Data Center",
    source:
      "https://confluence.atlassian.com/adminjiraserver/adjusting-your-code-for-rate-limiting-987143384.html",
    answers: [
      {
        headers: {
          "Retry-After": "0",
          "X-RateLimit-FillRate": "10",
          "X-RateLimit-Interval-Seconds": "60",
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Remaining": "12",
        },
        left: { remaining: 12, limit: 100 },
      },
    ],
  },
  {
    name: "Keap",
    source:
      "https://developer.infusionsoft.com/api-token-quota-and-usage-measurements/",
    answers: [
      {
        headers: {
          "x-keap-product-quota-available": "149862",
          "x-keap-product-quota-expiry-time": "1795651200000",
          "x-keap-product-quota-interval": "1",
          "x-keap-product-quota-limit": "150000",
          "x-keap-product-quota-time-unit": "day",
          "x-keap-product-quota-used": "138",
          "x-keap-product-throttle-available": "2",
          "x-keap-product-throttle-interval": "1",
          "x-keap-product-throttle-limit": "240",
          "x-keap-product-throttle-time-unit": "minute",
          "x-keap-product-throttle-used": "238",
        },
        left: { remaining: 2, limit: 240 },
      },
    ],
  },
  {
    name: "Klaviyo",
    source:
      "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "700",
          "RateLimit-Remaining": "8",
          "RateLimit-Reset": "12",
        },
        left: { remaining: 8, limit: 700, reset: 12 },
      },
    ],
  },
  {
    name: "Kong",
    source: "https://developer.konghq.com/plugins/rate-limiting/",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "5",
          "RateLimit-Remaining": "2",
          "RateLimit-Reset": "1",
          "X-RateLimit-Limit-Minute": "100",
          "X-RateLimit-Limit-Second": "5",
          "X-RateLimit-Remaining-Minute": "60",
          "X-RateLimit-Remaining-Second": "2",
        },
        left: { remaining: 2, limit: 5, reset: 1 },
      },
      {
        headers: {
          "X-RateLimit-Limit-Minute": "100",
          "X-RateLimit-Remaining-Minute": "3",
        },
        left: { remaining: 3, limit: 100 },
      },
    ],
  },
  {
    name: "KuCoin",
    source: "https://www.kucoin.com/docs-new/rate-limit",
    answers: [
      {
        headers: {
          "gw-ratelimit-limit": "500",
          "gw-ratelimit-remaining": "0",
          "gw-ratelimit-reset": "14489",
        },
        delay: 14.489,
        left: { remaining: 0, limit: 500, reset: 14.489 },
      },
    ],
  },
  {
    name: "Laravel",
    source: "https://laravel.com/docs/routing#rate-limiting",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "60",
          "X-RateLimit-Remaining": "5",
        },
        left: { remaining: 5, limit: 60 },
      },
    ],
  },
  {
    name: "lemlist, rate-limiter-flexible",
    source:
      "https://developer.lemlist.com/api-reference/getting-started/rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "20",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset":
            "Wed Nov 25 2026 13:00:02 GMT+0100 (Central European Standard Time)",
        },
        delay: 2,
        left: { remaining: 0, limit: 20, reset: 2 },
      },
    ],
  },
  {
    name: "Lightspeed Retail (R-Series)",
    source:
      "https://developers.lightspeedhq.com/retail/introduction/ratelimits/",
    answers: [
      {
        headers: {
          "X-LS-Api-Bucket-Level": "40.4/60",
          "X-LS-Api-Drip-Rate": "1",
          "X-LS-Api-Request-Cost": "5",
        },
        left: { remaining: 3, limit: 12 },
      },
    ],
  },
  {
    name: "Linear",
    source: "https://linear.app/developers/rate-limiting",
    set:
      "it refuses with 400: `shouldRetry: ({ status, headers }) => ...`; complexity closes the limiter at 0",
    answers: [
      {
        headers: {
          "X-Complexity": "45",
          "X-RateLimit-Complexity-Limit": "3000000",
          "X-RateLimit-Complexity-Remaining": "0",
          "X-RateLimit-Complexity-Reset": "1795608240000",
          "X-RateLimit-Requests-Limit": "2500",
          "X-RateLimit-Requests-Remaining": "2000",
          "X-RateLimit-Requests-Reset": "1795608240000",
        },
        delay: 240,
        left: { remaining: 0, limit: 3000000, reset: 240 },
      },
    ],
  },
  {
    name: "MailerLite classic",
    source: "https://developers-classic.mailerlite.com/docs/api-rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "60",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "2026-11-25 12:00:30",
          "X-RateLimit-Retry-After": "30",
        },
        delay: 30,
      },
    ],
  },
  {
    name: "Mashery",
    source:
      "https://docs.mashery.com/connectorsguide/GUID-3D17D0A6-0E6B-4E5B-9E0A-0AE0C0EA3CDB.html",
    answers: [
      {
        headers: {
          "X-Plan-QPS-Allotted": "4",
          "X-Plan-QPS-Current": "3",
          "X-Plan-Quota-Allotted": "1000",
          "X-Plan-Quota-Current": "900",
          "X-Plan-Quota-Reset": "Thursday, 26-Nov-26 00:00:00 GMT",
        },
        left: { remaining: 1, limit: 4, reset: 1 },
      },
    ],
  },
  {
    name: "Mastodon",
    source: "https://docs.joinmastodon.org/api/rate-limits/",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "300",
          "X-RateLimit-Remaining": "4",
          "X-RateLimit-Reset": "2026-11-25T12:04:10.500000Z",
        },
        left: { remaining: 4, limit: 300, reset: 250.5 },
      },
    ],
  },
  {
    name: "Meta Graph API",
    source:
      "https://developers.facebook.com/docs/graph-api/overview/rate-limiting/",
    set: "percent of an hour: they close the limiter at 100",
    answers: [
      {
        headers: {
          "X-Business-Use-Case-Usage":
            '{"1234":[{"type":"ads_insights","call_count":100,"total_cputime":25,"total_time":25,"estimated_time_to_regain_access":19}]}',
        },
        delay: 1140,
        left: { remaining: 0, reset: 1140 },
      },
      {
        headers: {
          "X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":25}',
        },
        left: null,
      },
    ],
  },
  {
    name: "Microsoft Graph, SharePoint",
    source:
      "https://learn.microsoft.com/en-us/sharepoint/dev/general-development/how-to-avoid-getting-throttled-or-blocked-in-sharepoint-online",
    set: "`refusalStatusCodes: [429, 503]`",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "1200",
          "RateLimit-Remaining": "4",
          "RateLimit-Reset": "5",
        },
        left: { remaining: 4, limit: 1200, reset: 5 },
      },
    ],
  },
  {
    name: "Mistral",
    source: "https://docs.mistral.ai/deployment/laplateforme/tier/",
    answers: [
      {
        headers: {
          "x-ratelimit-limit-requests": "60",
          "x-ratelimit-limit-tokens": "500000",
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-remaining-tokens": "400000",
        },
        left: { remaining: 0, limit: 60 },
      },
    ],
  },
  {
    name: "MuleSoft",
    source:
      "https://docs.mulesoft.com/gateway/latest/policies-included-rate-limiting",
    unseen: true,
    set:
      'milliseconds under the most common of names: `dialect: [{ limit: "x-ratelimit-limit", remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset", unit: "milliseconds" }]`',
    answers: [],
  },
  {
    name: "MusicBrainz",
    source: "https://musicbrainz.org/doc/MusicBrainz_API/Rate_Limiting",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "1200",
          "X-RateLimit-Remaining": "3",
          "X-RateLimit-Reset": "1795608002",
          "X-RateLimit-Zone": "ws_global",
        },
        left: { remaining: 3, limit: 1200, reset: 2 },
      },
    ],
  },
  {
    name: "NestJS throttler",
    source: "https://docs.nestjs.com/security/rate-limiting",
    unseen: true,
    answers: [
      {
        headers: {
          "Retry-After-long": "60",
          "Retry-After-short": "3",
        },
        delay: 60,
      },
      {
        headers: {
          "X-RateLimit-Limit-short": "10",
          "X-RateLimit-Remaining-short": "4",
          "X-RateLimit-Reset-short": "5",
        },
        left: { remaining: 4, limit: 10, reset: 5 },
      },
    ],
  },
  {
    name: "nginx",
    source:
      "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_status",
    set: "`refusalStatusCodes: [503]`, unless `limit_req_status 429` is set",
    answers: [
      {
        headers: {
          "Content-Type": "text/html",
        },
        delay: null,
      },
    ],
  },
  {
    name: "Nuvemshop, Tiendanube",
    source: "https://dev.nuvemshop.com.br/en/docs/erp-guide/api-usage",
    set:
      'milliseconds under the name of others\' seconds: `dialect: [{ limit: "x-rate-limit-limit", remaining: "x-rate-limit-remaining", reset: "x-rate-limit-reset", unit: "milliseconds" }]`',
    answers: [],
  },
  {
    name: "Okta",
    source: "https://developer.okta.com/docs/reference/rl2-monitor/",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Limit": "1200",
          "X-Rate-Limit-Remaining": "0",
          "X-Rate-Limit-Reset": "1795608037",
        },
        delay: 37,
        left: { remaining: 0, limit: 1200, reset: 37 },
      },
      {
        headers: {
          "X-Rate-Limit-Limit": "0",
          "X-Rate-Limit-Remaining": "0",
          "X-Rate-Limit-Reset": "1795608012",
        },
        delay: 12,
        left: null,
      },
    ],
  },
  {
    name: "Omnisend, Ontraport, ShipStation, Yii",
    source:
      "https://api-docs.omnisend.com/v5/reference/rate-limit-timeouts-errors",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Limit": "400",
          "X-Rate-Limit-Remaining": "4",
          "X-Rate-Limit-Reset": "30",
        },
        left: { remaining: 4, limit: 400, reset: 30 },
      },
    ],
  },
  {
    name: "OpenAI",
    source: "https://platform.openai.com/docs/guides/rate-limits",
    set: "Tokens close the limiter at 0 and are not counted down",
    answers: [
      {
        headers: {
          "x-ratelimit-limit-requests": "60",
          "x-ratelimit-limit-tokens": "150000",
          "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-remaining-tokens": "149984",
          "x-ratelimit-reset-requests": "6m0s",
          "x-ratelimit-reset-tokens": "6ms",
        },
        delay: 360,
        left: { remaining: 0, limit: 60, reset: 360 },
      },
      {
        headers: {
          "x-ratelimit-limit-tokens": "150000",
          "x-ratelimit-remaining-tokens": "0",
          "x-ratelimit-reset-tokens": "120ms",
        },
        delay: 0.12,
        left: { remaining: 0, limit: 150000, reset: 0.12 },
      },
    ],
  },
  {
    name: "OpenRouter",
    source: "https://openrouter.ai/docs/api/reference/limits",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "20",
          "X-RateLimit-Remaining": "4",
          "X-RateLimit-Reset": "1795608033000",
        },
        left: { remaining: 4, limit: 20, reset: 33 },
      },
    ],
  },
  {
    name: "Openverse",
    source: "https://api.openverse.org/v1/#section/Throttling",
    answers: [
      {
        headers: {
          "x-ratelimit-available-anon_burst": "3",
          "x-ratelimit-available-anon_sustained": "199",
          "x-ratelimit-limit-anon_burst": "20/min",
          "x-ratelimit-limit-anon_sustained": "200/day",
        },
        left: { remaining: 3, limit: 20 },
      },
    ],
  },
  {
    name: "Phemex",
    source:
      "https://github.com/phemex/phemex-api-docs/blob/master/Generic-API-Info.en.md",
    answers: [
      {
        headers: {
          "x-ratelimit-capacity-contract": "500",
          "x-ratelimit-remaining-contract": "0",
          "x-ratelimit-retry-after-contract": "7",
        },
        delay: 7,
        left: { remaining: 0, limit: 500 },
      },
    ],
  },
  {
    name: "Pipedrive",
    source: "https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting",
    answers: [
      {
        headers: {
          "x-daily-requests-left": "9000",
          "x-ratelimit-limit": "20",
          "x-ratelimit-remaining": "3",
          "x-ratelimit-reset": "2",
        },
        left: { remaining: 3, limit: 20, reset: 2 },
      },
    ],
  },
  {
    name: "Prisjakt",
    source: "https://developer.prisjakt.nu/docs/sections/rate-limit",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Limit": "10000",
          "X-Rate-Limit-Remaining": "0",
          "X-Rate-Limit-Reset": "600000",
        },
        delay: 600,
      },
    ],
  },
  {
    name: "Pushover",
    source: "https://pushover.net/api#limits",
    answers: [
      {
        headers: {
          "X-Limit-App-Limit": "10000",
          "X-Limit-App-Remaining": "0",
          "X-Limit-App-Reset": "1795609000",
        },
        delay: 1000,
        left: { remaining: 0, limit: 10000, reset: 1000 },
      },
    ],
  },
  {
    name: "Rachio",
    source: "https://rachio.readme.io/reference/rate-limiting",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "1700",
          "X-RateLimit-Remaining": "4",
          "X-RateLimit-Reset": "2026-11-26T00:00:00Z",
        },
        left: { remaining: 4, limit: 1700, reset: 43200 },
      },
    ],
  },
  {
    name: "Rack::Attack",
    source:
      "https://github.com/rack/rack-attack#ratelimit-headers-for-well-behaved-clients",
    answers: [
      {
        headers: {
          "RateLimit-Limit": "5",
          "RateLimit-Remaining": "0",
          "RateLimit-Reset": "1795608040",
        },
        delay: 40,
      },
    ],
  },
  {
    name: "RapidAPI",
    source: "https://docs.rapidapi.com/v1.0/docs/response-headers",
    answers: [
      {
        headers: {
          "X-RateLimit-Requests-Limit": "500",
          "X-RateLimit-Requests-Remaining": "3",
          "X-RateLimit-Requests-Reset": "2163603",
        },
        left: { remaining: 3, limit: 500, reset: 2163603 },
      },
    ],
  },
  {
    name: "Recharge",
    source: "https://developer.rechargepayments.com/2021-11/rate_limits",
    answers: [
      {
        headers: {
          "X-Recharge-Limit": "38/40",
        },
        left: { remaining: 2, limit: 40 },
      },
    ],
  },
  {
    name: "Reddit",
    source:
      "https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki",
    answers: [
      {
        headers: {
          "x-ratelimit-remaining": "5.0",
          "x-ratelimit-reset": "112",
          "x-ratelimit-used": "595",
        },
        left: { remaining: 5, limit: 600, reset: 112 },
      },
    ],
  },
  {
    name: "restify",
    source: "http://restify.com/docs/plugins-api/#throttle",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "20",
          "X-RateLimit-Rate": "10",
          "X-RateLimit-Remaining": "3",
        },
        left: { remaining: 3, limit: 20 },
      },
    ],
  },
  {
    name: "RingCentral",
    source: "https://developers.ringcentral.com/guide/basics/rate-limits",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Group": "heavy",
          "X-Rate-Limit-Limit": "10",
          "X-Rate-Limit-Remaining": "2",
          "X-Rate-Limit-Window": "60",
        },
        left: { remaining: 2, limit: 10, reset: 60 },
      },
    ],
  },
  {
    name: "Riot Games",
    source:
      "https://developer.riotgames.com/docs/portal#web-apis_rate-limiting",
    set: "a limiter for each region and method",
    answers: [
      {
        headers: {
          "X-App-Rate-Limit": "20:1,100:120",
          "X-App-Rate-Limit-Count": "3:1,98:120",
          "X-Method-Rate-Limit": "500:10",
          "X-Method-Rate-Limit-Count": "3:10",
        },
        left: { remaining: 2, limit: 100 },
      },
    ],
  },
  {
    name: "Rollbar",
    source: "https://docs.rollbar.com/docs/rate-limits",
    answers: [
      {
        headers: {
          "X-Rate-Limit-Limit": "5000",
          "X-Rate-Limit-Remaining": "3",
          "X-Rate-Limit-Remaining-Seconds": "38",
          "X-Rate-Limit-Reset": "1795608038",
        },
        left: { remaining: 3, limit: 5000, reset: 38 },
      },
    ],
  },
  {
    name: "Salesforce",
    source:
      "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm",
    answers: [
      {
        headers: {
          "Sforce-Limit-Info":
            "api-usage=4997/5000; per-app-api-usage=17/250(appName=x)",
        },
        left: { remaining: 3, limit: 5000 },
      },
    ],
  },
  {
    name: "Sentry API",
    source: "https://docs.sentry.io/api/ratelimits/",
    answers: [
      {
        headers: {
          "X-Sentry-Rate-Limit-ConcurrentLimit": "25",
          "X-Sentry-Rate-Limit-ConcurrentRemaining": "24",
          "X-Sentry-Rate-Limit-Limit": "40",
          "X-Sentry-Rate-Limit-Remaining": "3",
          "X-Sentry-Rate-Limit-Reset": "1795608004",
        },
        left: { remaining: 3, limit: 40, reset: 4 },
      },
    ],
  },
  {
    name: "Sentry ingestion",
    source: "https://develop.sentry.dev/sdk/expected-features/rate-limiting/",
    answers: [
      {
        headers: {
          "X-Sentry-Rate-Limits":
            "60::organization, 2700:default;error;security:organization",
        },
        delay: 60,
      },
    ],
  },
  {
    name: "Shopify GraphQL",
    source: "https://shopify.dev/docs/api/usage/limits",
    set:
      "the wait is in the body (`extensions.cost.throttleStatus`): `throw Object.assign(error, { retryAfter: seconds })`",
    answers: [
      {
        headers: {
          "Content-Type": "application/json",
        },
        delay: null,
      },
    ],
  },
  {
    name: "Shopify REST",
    source: "https://shopify.dev/docs/api/admin-rest/usage/rate-limits",
    answers: [
      {
        headers: {
          "X-Shopify-Shop-Api-Call-Limit": "32/40",
        },
        left: { remaining: 8, limit: 40 },
      },
      {
        headers: {
          "Retry-After": "2.0",
          "X-Shopify-Shop-Api-Call-Limit": "40/40",
        },
        delay: 2,
      },
    ],
  },
  {
    name: "Slack",
    source: "https://docs.slack.dev/apis/web-api/rate-limits",
    set: "a limiter for each method and workspace",
    answers: [
      {
        headers: {
          "Retry-After": "30",
        },
        delay: 30,
      },
    ],
  },
  {
    name: "slowapi",
    source: "https://slowapi.readthedocs.io/",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "5, 100",
          "X-RateLimit-Remaining": "0, 60",
          "X-RateLimit-Reset": "1795608009.5, 1795610000.5",
        },
        delay: 9.5,
        left: { remaining: 0, limit: 5, reset: 9.5 },
      },
    ],
  },
  {
    name: "Spring Cloud Gateway",
    source:
      "https://docs.spring.io/spring-cloud-gateway/reference/spring-cloud-gateway-server-webflux/gatewayfilter-factories/requestratelimiter-factory.html",
    answers: [
      {
        headers: {
          "X-RateLimit-Burst-Capacity": "60",
          "X-RateLimit-Remaining": "3",
          "X-RateLimit-Replenish-Rate": "1",
          "X-RateLimit-Requested-Tokens": "60",
        },
        left: { remaining: 0, limit: 1 },
      },
    ],
  },
  {
    name: "Strava",
    source: "https://developers.strava.com/docs/rate-limits",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "200,2000",
          "X-RateLimit-Usage": "150,1999",
          "X-ReadRateLimit-Limit": "100,1000",
          "X-ReadRateLimit-Usage": "50,900",
        },
        left: { remaining: 1, limit: 2000 },
      },
    ],
  },
  {
    name: "Stripe",
    source: "https://docs.stripe.com/rate-limits",
    unseen: true,
    answers: [
      {
        headers: {
          "Stripe-Rate-Limited-Reason": "global-rate",
        },
        delay: null,
      },
    ],
  },
  {
    name: "SurveyMonkey",
    source: "https://developer.surveymonkey.com/api/v3/#headers",
    answers: [
      {
        headers: {
          "X-Ratelimit-App-Global-Day-Limit": "500",
          "X-Ratelimit-App-Global-Day-Remaining": "450",
          "X-Ratelimit-App-Global-Day-Reset": "10570",
          "X-Ratelimit-App-Global-Minute-Limit": "120",
          "X-Ratelimit-App-Global-Minute-Remaining": "3",
          "X-Ratelimit-App-Global-Minute-Reset": "12",
        },
        left: { remaining: 3, limit: 120, reset: 12 },
      },
    ],
  },
  {
    name: "Symfony",
    source:
      "https://symfony.com/doc/current/rate_limiter.html#rate-limiter-exposing-data",
    unseen: true,
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "10",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Retry-After": "1795608025",
        },
        delay: 25,
      },
    ],
  },
  {
    name: "Taiga",
    source: "https://docs.taiga.io/api.html#_throttling",
    answers: [
      {
        headers: {
          "X-Throttle-Wait-Seconds": "12",
        },
        delay: 12,
      },
    ],
  },
  {
    name: "The Odds API",
    source: "https://the-odds-api.com/liveapi/guides/v4/#response-headers",
    answers: [
      {
        headers: {
          "x-requests-last": "1",
          "x-requests-remaining": "3",
          "x-requests-used": "497",
        },
        left: { remaining: 3, limit: 500 },
      },
    ],
  },
  {
    name: "Together AI",
    source: "https://docs.together.ai/docs/rate-limits",
    answers: [
      {
        headers: {
          "x-ratelimit-limit": "10",
          "x-ratelimit-remaining": "4",
          "x-ratelimit-reset": "1",
          "x-tokenlimit-limit": "100000",
          "x-tokenlimit-remaining": "0",
        },
        left: { remaining: 0, limit: 100000 },
      },
    ],
  },
  {
    name: "Toggl",
    source: "https://engineering.toggl.com/docs/#api-usage-quota",
    set: "`refusalStatusCodes: [402, 429]`",
    answers: [
      {
        headers: {
          "X-Toggl-Quota-Remaining": "0",
          "X-Toggl-Quota-Resets-In": "1203",
        },
        delay: 1203,
        left: { remaining: 0, reset: 1203 },
      },
    ],
  },
  {
    name: "Toobit",
    source: "https://toobit-docs.github.io/apidocs/usdt_swap/v1/en/#limits",
    answers: [
      {
        headers: {
          "X-Api-Limit-Reset-Timestamp": "1795608030000",
        },
        delay: 30,
      },
    ],
  },
  {
    name: "Tradier",
    source: "https://docs.tradier.com/docs/rate-limiting",
    answers: [
      {
        headers: {
          "X-Ratelimit-Allowed": "120",
          "X-Ratelimit-Available": "3",
          "X-Ratelimit-Expiry": "1795608021000",
          "X-Ratelimit-Used": "117",
        },
        left: { remaining: 3, limit: 120, reset: 21 },
      },
    ],
  },
  {
    name: "Traefik",
    source:
      "https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/ratelimit/",
    answers: [
      {
        headers: {
          "X-Retry-In": "83.33ms",
        },
        delay: 0.08333,
      },
    ],
  },
  {
    name: "Trello",
    source:
      "https://developer.atlassian.com/cloud/trello/guides/rest-api/rate-limits/",
    answers: [
      {
        headers: {
          "x-rate-limit-api-key-interval-ms": "10000",
          "x-rate-limit-api-key-max": "300",
          "x-rate-limit-api-key-remaining": "250",
          "x-rate-limit-api-token-interval-ms": "10000",
          "x-rate-limit-api-token-max": "100",
          "x-rate-limit-api-token-remaining": "4",
        },
        left: { remaining: 4, limit: 100, reset: 10 },
      },
    ],
  },
  {
    name: "Tumblr",
    source: "https://www.tumblr.com/docs/en/api/v2#rate-limits",
    answers: [
      {
        headers: {
          "X-Ratelimit-Perday-Limit": "5000",
          "X-Ratelimit-Perday-Remaining": "4903",
          "X-Ratelimit-Perday-Reset": "72210",
          "X-Ratelimit-Perhour-Limit": "1000",
          "X-Ratelimit-Perhour-Remaining": "7",
          "X-Ratelimit-Perhour-Reset": "1210",
        },
        left: { remaining: 7, limit: 1000, reset: 1210 },
      },
    ],
  },
  {
    name: "Twelve Data",
    source: "https://twelvedata.com/docs#errors",
    answers: [
      {
        headers: {
          "Api-Credits-Left": "7",
          "Api-Credits-Used": "1",
        },
        left: null,
      },
    ],
  },
  {
    name: "Twitch",
    source: "https://dev.twitch.tv/docs/api/guide/#twitch-rate-limits",
    answers: [
      {
        headers: {
          "Ratelimit-Limit": "800",
          "Ratelimit-Remaining": "6",
          "Ratelimit-Reset": "1795608057",
        },
        left: { remaining: 6, limit: 800, reset: 57 },
      },
    ],
  },
  {
    name: "Upbit",
    source: "https://docs.upbit.com/kr/reference/rate-limits",
    answers: [
      {
        headers: {
          "Remaining-Req": "group=order; min=1800; sec=2",
        },
        left: { remaining: 2 },
      },
    ],
  },
  {
    name: "urlscan.io",
    source: "https://urlscan.io/docs/api/#ratelimit",
    unseen: true,
    answers: [
      {
        headers: {
          "X-Rate-Limit-Action": "search",
          "X-Rate-Limit-Limit": "120",
          "X-Rate-Limit-Remaining": "0",
          "X-Rate-Limit-Reset": "2026-11-25T12:00:35.000Z",
          "X-Rate-Limit-Reset-After": "35",
          "X-Rate-Limit-Scope": "user",
          "X-Rate-Limit-Window": "minute",
        },
        delay: 35,
        left: { remaining: 0, limit: 120, reset: 35 },
      },
    ],
  },
  {
    name: "Vimeo",
    source: "https://developer.vimeo.com/guidelines/rate-limiting",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "100",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "Wed, 25 Nov 2026 12:00:48 GMT",
        },
        delay: 48,
        left: { remaining: 0, limit: 100, reset: 48 },
      },
    ],
  },
  {
    name: "Walmart",
    source: "https://developer.walmart.com/suppliers/docs/rate-limiting",
    answers: [
      {
        headers: {
          "X-Current-Token-Count": "2",
          "X-Next-Replenishment-Time": "1795608180000",
        },
        left: { remaining: 2, reset: 180 },
      },
    ],
  },
  {
    name: "X",
    source: "https://docs.x.com/x-api/fundamentals/rate-limits",
    set: "a limiter for each endpoint",
    answers: [
      {
        headers: {
          "x-app-limit-24hour-limit": "50",
          "x-app-limit-24hour-remaining": "40",
          "x-app-limit-24hour-reset": "1795650000",
          "x-rate-limit-limit": "900",
          "x-rate-limit-remaining": "3",
          "x-rate-limit-reset": "1795608200",
        },
        left: { remaining: 3, limit: 900, reset: 200 },
      },
    ],
  },
  {
    name: "Xendit",
    source: "https://docs.xendit.co/apidocs/rate-limits",
    answers: [
      {
        headers: {
          "Rate-Limit-Limit": "600",
          "Rate-Limit-Remaining": "3",
          "Rate-Limit-Reset": "58.37",
        },
        left: { remaining: 3, limit: 600, reset: 58.37 },
      },
    ],
  },
  {
    name: "Xero",
    source: "https://developer.xero.com/documentation/guides/oauth2/limits/",
    set: "a limiter for each organisation, with `maxConcurrent: 5`",
    answers: [
      {
        headers: {
          "X-AppMinLimit-Remaining": "9997",
          "X-DayLimit-Remaining": "4997",
          "X-MinLimit-Remaining": "2",
        },
        left: { remaining: 2, reset: 60 },
      },
    ],
  },
  {
    name: "Yelp",
    source: "https://docs.developer.yelp.com/docs/places-rate-limiting",
    answers: [
      {
        headers: {
          "RateLimit-DailyLimit": "5000",
          "RateLimit-Remaining": "0",
          "RateLimit-ResetTime": "2026-11-26T00:00:00+00:00",
        },
        delay: 43200,
        left: { remaining: 0, reset: 43200 },
      },
    ],
  },
  {
    name: "Zendesk",
    source:
      "https://developer.zendesk.com/api-reference/introduction/rate-limits/",
    answers: [
      {
        headers: {
          "X-Rate-Limit": "700",
          "X-Rate-Limit-Remaining": "5",
          "Zendesk-RateLimit-tickets-index":
            "total=100; remaining=99; resets=41",
          "ratelimit-limit": "700",
          "ratelimit-remaining": "5",
          "ratelimit-reset": "41",
        },
        left: { remaining: 5, limit: 700, reset: 41 },
      },
      {
        headers: {
          "X-Rate-Limit": "700",
          "X-Rate-Limit-Remaining": "0",
        },
        left: { remaining: 0, limit: 700 },
      },
    ],
  },
  {
    name: "Zoom",
    source: "https://developers.zoom.us/docs/api/rate-limits/",
    unseen: true,
    answers: [
      {
        headers: {
          "Retry-After": "2026-11-26T00:00:00Z",
          "X-RateLimit-Category": "Heavy",
          "X-RateLimit-Limit": "60000",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Type": "Daily-limit",
        },
        delay: 43200,
      },
    ],
  },
  {
    name: "Any: unlimited",
    source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
    answers: [
      {
        headers: {
          "X-RateLimit-Limit": "0",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "0",
        },
        left: null,
        delay: null,
      },
    ],
  },
  {
    name: "Any: an unreadable wait beside a readable reset",
    source: "https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3",
    answers: [
      {
        headers: {
          "Retry-After": "soon",
          "X-RateLimit-Remaining": "0",
          "X-RateLimit-Reset": "90",
        },
        delay: 90,
      },
    ],
  },
];
