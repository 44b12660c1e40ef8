/**
 * A binary heap of what is due at an instant; what came first goes first.
 *
 * @module
 */

interface Due {
  at: number;
  order: number;
}

export class Heap<T extends Due> {
  readonly #items: T[] = [];

  push(item: T): void {
    const items = this.#items;
    let i = items.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(items[parent]!, item)) break;
      items[i] = items[parent]!;
      i = parent;
    }
    items[i] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (!first || first === last) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      const right = child + 1;
      if (right < items.length && isBefore(items[right]!, items[child]!)) {
        child = right;
      }
      if (isBefore(last!, items[child]!)) break;
      items[i] = items[child]!;
      i = child;
    }
    items[i] = last!;
    return first;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || a.at === b.at && a.order < b.order;
}
