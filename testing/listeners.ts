/**
 * Knows how many listeners come and go on an `AbortSignal`.
 *
 * @module
 */

/** Listeners so far. */
export interface Listeners {
  added: number;
  removed: number;
}

/** Counts the listeners that come and go on a signal. */
export function countListeners(signal: AbortSignal): Listeners {
  const count = { added: 0, removed: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    count.added++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    count.removed++;
    remove(...args);
  };
  return count;
}
