/** What is due next: a binary heap. */

export interface DueQueue<T> {
  push(at: number, item: T): void;
  /** Infinity where nothing is due. */
  nextAt(): number;
  pop(): T;
  /** What would be popped. */
  peek(): T | undefined;
}

export function dueQueue<T>(): DueQueue<T> {
  const heap: Array<{ readonly at: number; readonly item: T }> = [];
  const at = (i: number): number => heap[i]?.at ?? Number.POSITIVE_INFINITY;
  const swap = (i: number, j: number): void => {
    [heap[i], heap[j]] = [heap[j] as (typeof heap)[0], heap[i] as (typeof heap)[0]];
  };
  return {
    push(due, item) {
      heap.push({ at: due, item });
      for (let i = heap.length - 1; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (at(parent) <= at(i)) return;
        swap(i, parent);
        i = parent;
      }
    },
    nextAt: () => at(0),
    peek: () => heap[0]?.item,
    pop() {
      const first = heap[0];
      if (first === undefined) throw new RangeError('nothing is due');
      swap(0, heap.length - 1);
      heap.pop();
      for (let i = 0; ; ) {
        const left = 2 * i + 1;
        const least = at(left + 1) < at(left) ? left + 1 : left;
        if (at(least) >= at(i)) return first.item;
        swap(i, least);
        i = least;
      }
    },
  };
}
