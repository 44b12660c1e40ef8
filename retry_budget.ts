/**
 * Knows when enough has been retried: a server that fails for everybody is not
 * helped by three times as many requests.
 *
 * @example One budget for all calls
 * ```ts
 * import { RetryBudget, retryWithBackoff } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new RetryBudget({ maxTokens: 2 });
 * let requests = 0;
 * const call = () =>
 *   retryWithBackoff(() => {
 *     requests++;
 *     return new Response(null, { status: 503 });
 *   }, { budget });
 * await Promise.allSettled([call(), call(), call()]);
 * assertEquals(requests, 3); // not 12
 * ```
 *
 * @module
 */

import { checkFields, checkNumber } from "./arguments/check.ts";

/**
 * How much may be retried.
 *
 * @example
 * ```ts
 * import { RetryBudget, type RetryBudgetOptions } from "@jarkdown/retry";
 *
 * const options: RetryBudgetOptions = { maxTokens: 10, tokenRatio: 0.5 };
 * new RetryBudget(options);
 * ```
 */
export interface RetryBudgetOptions {
  /**
   * Tokens at the start, and at the most. > 0, finite. Retries are allowed
   * while there are more than half.
   *
   * @default {100}
   */
  readonly maxTokens?: number | null | undefined;
  /**
   * Tokens that a success gives back. > 0, finite.
   *
   * @default {0.1}
   */
  readonly tokenRatio?: number | null | undefined;
}

const OPTIONS = [
  "maxTokens",
  "tokenRatio",
] as const satisfies readonly (keyof RetryBudgetOptions)[];

/**
 * A token bucket shared by calls, after gRPC's retry throttling
 * ({@link https://github.com/grpc/proposal/blob/master/A6-client-retries.md | A6}):
 * a failure that could be retried takes a token, a success gives `tokenRatio`
 * back, and nothing is retried while half of the tokens or fewer are left. A
 * retry that is not allowed is not waited for: the failure is thrown at once.
 *
 * @example By hand
 * ```ts
 * import { RetryBudget } from "@jarkdown/retry";
 * import { assertEquals } from "@std/assert";
 *
 * const budget = new RetryBudget({ maxTokens: 4, tokenRatio: 0.5 });
 * budget.failure();
 * assertEquals([budget.tokens, budget.allowsRetry], [3, true]);
 * budget.failure();
 * assertEquals([budget.tokens, budget.allowsRetry], [2, false]);
 * budget.success();
 * assertEquals([budget.tokens, budget.allowsRetry], [2.5, true]);
 * ```
 */
export class RetryBudget {
  readonly #maxTokens: number;
  readonly #tokenRatio: number;
  #tokens: number;

  /**
   * Makes a full budget.
   *
   * @param options How much may be retried.
   * @throws {RangeError} If an option is out of range.
   * @throws {TypeError} If an option has the wrong type or is unknown.
   */
  constructor(options?: RetryBudgetOptions | null) {
    checkFields("options", options ?? {}, OPTIONS);
    this.#maxTokens = positive("maxTokens", options?.maxTokens ?? 100);
    this.#tokenRatio = positive("tokenRatio", options?.tokenRatio ?? 0.1);
    this.#tokens = this.#maxTokens;
  }

  /** Tokens left, from 0 to `maxTokens`. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Whether a retry is allowed now. */
  get allowsRetry(): boolean {
    return this.#tokens > this.#maxTokens / 2;
  }

  /** Takes a token: an attempt failed in a way that could be retried. */
  failure(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Gives `tokenRatio` back: an attempt succeeded. */
  success(): void {
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio);
  }
}

function positive(name: string, value: number): number {
  const valid = value > 0 && value < Infinity;
  checkNumber(name, value, "a finite number > 0", valid);
  return value;
}
