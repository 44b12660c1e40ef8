/**
 * Seeded random numbers: a stream for each purpose, so that one more draw in one
 * place moves nothing elsewhere.
 *
 * @module
 */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  (): number;
}

/** Mixes numbers into 32 bits (the finalizer of MurmurHash3 after each). */
export function hash(...parts: number[]): number {
  let h = 0x9e3779b9;
  for (const part of parts) {
    h ^= part | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/** The stream named by `parts`: sfc32, seeded by hashes. */
export function stream(...parts: number[]): Random {
  let a = hash(...parts, 1);
  let b = hash(...parts, 2);
  let c = hash(...parts, 3);
  let d = 1;
  const next = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Uniform in [low, high). */
export function uniform(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}

/** Log-uniform in [low, high). */
export function logUniform(random: Random, low: number, high: number): number {
  return low * (high / low) ** random();
}

/** One of the keys, by weight. */
export function pick<K extends string>(
  random: Random,
  weights: Partial<Record<K, number>>,
): K {
  const entries = Object.entries(weights) as [K, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [key, weight] of entries) {
    left -= weight;
    if (left < 0) return key;
  }
  return entries.at(-1)![0];
}

/** Log-normal with the given mean; `sigma` is that of the logarithm. */
export function logNormal(random: Random, mean: number, sigma: number): number {
  if (sigma === 0) return mean;
  const normal = Math.sqrt(-2 * Math.log(1 - random())) *
    Math.cos(2 * Math.PI * random());
  return mean * Math.exp(sigma * normal - sigma * sigma / 2);
}
