import type { Output } from './io.js';
import { cut } from './text.js';

const REDRAW_MS = 250;
const BAR_CELLS = 20;
/** Width of the mark that wanders where it is not known how much there is left. */
const MARK_CELLS = 4;
/** Erases from the cursor to the end of the line (ECMA-48 EL). */
const ERASE = '\x1b[K';
/** Where a terminal does not say how wide it is. */
const COLUMNS = 80;

/** What can be seen of something that takes its time. */
export interface Stage {
  /** Of what it is a stage. Left out of the line that is drawn over: there is little room. */
  readonly name: string;
  /** Said anew when it changes; fit for a terminal. */
  readonly text: string;
  /** What stands behind it on a terminal alone, since it changes all the time. */
  readonly live?: () => string;
  /** From 0 to 1; `null` where that is not known. */
  readonly share?: () => number | null;
}

/** One line that is drawn again and again on a terminal; elsewhere, one line for each change. */
export class Progress {
  readonly #output: Output;
  readonly #isLive: boolean;
  readonly #now: () => number;
  readonly #beganAt: number;
  #stage: Stage | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param now a clock that only goes forward, in ms */
  constructor(output: Output, isLive: boolean, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#isLive = isLive;
    this.#now = now;
    this.#beganAt = now();
  }

  get elapsedMs(): number {
    return this.#now() - this.#beganAt;
  }

  show(stage: Stage): void {
    const isNews = stage.text !== this.#stage?.text;
    this.#stage = stage;
    if (!this.#isLive) {
      if (isNews) this.#output.write(`${stage.name}  ${stage.text}\n`);
      return;
    }
    this.#draw(stage);
    this.#timer ??= setInterval(() => this.#stage && this.#draw(this.#stage), REDRAW_MS);
  }

  /** Leaves the line as it is last. */
  keep(): void {
    if (this.#stage === null || this.#timer === null) return;
    this.#stop();
    const { name, text, live } = this.#stage;
    this.#write([name, text, live?.() ?? '']);
    this.#output.write('\n');
  }

  /** Takes the line away, where it is still there. */
  end(): void {
    if (this.#timer === null) return;
    this.#stop();
    this.#write([]);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #draw({ text, live, share }: Stage): void {
    this.#write([bar(share?.() ?? null, this.elapsedMs), text, live?.() ?? '']);
  }

  #write(words: readonly string[]): void {
    const line = words.filter((word) => word !== '').join('  ');
    // A character less than there is room for: some terminals go to the next line with the last one.
    this.#output.write(`\r${cut(line, (this.#output.columns || COLUMNS) - 1)}${ERASE}`);
  }
}

/** `[=====>    ]`; where the share is not known, `[    ====  ]` wanders. */
function bar(share: number | null, elapsedMs: number): string {
  if (share !== null) {
    const full = Math.round(Math.min(1, Math.max(0, share)) * BAR_CELLS);
    const head = full === BAR_CELLS ? '=' : '>';
    return `[${(full === 0 ? '' : '='.repeat(full - 1) + head).padEnd(BAR_CELLS)}]`;
  }
  const room = BAR_CELLS - MARK_CELLS;
  const step = Math.floor(elapsedMs / REDRAW_MS) % (2 * room);
  const before = step < room ? step : 2 * room - step;
  return `[${(' '.repeat(before) + '='.repeat(MARK_CELLS)).padEnd(BAR_CELLS)}]`;
}
