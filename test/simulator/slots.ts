import type { Task } from './tasks.js';

/** What limits the slots: whose they are, and how many of each. */
export interface SlotLimits {
  readonly teams: readonly string[];
  readonly concurrency: number;
}

/** What a team made of the concurrency it was allowed. The share in use between two looks is a quotient of differences. */
export interface SlotUse {
  readonly unfinished: number;
  /** The most unfinished tasks there were at one moment. */
  readonly peak: number;
  /** The time integral of its unfinished tasks … */
  readonly busySlotMs: number;
  /** … and of its limit, since the team is known. */
  readonly allowedSlotMs: number;
}

interface Team {
  readonly open: Set<Task>;
  peak: number;
  busySlotMs: number;
  allowedSlotMs: number;
}

/** The unfinished tasks of each team, and for how long there were how many. Exact, though no timer runs for a task. */
export class Slots {
  readonly #now: () => number;
  readonly #endsAt: (task: Task) => number;
  readonly #limits: () => SlotLimits;
  #teams = new Map<string, Team>();
  #countedTo: number;

  constructor(now: () => number, endsAt: (task: Task) => number, limits: () => SlotLimits) {
    this.#now = now;
    this.#endsAt = endsAt;
    this.#limits = limits;
    this.#countedTo = now();
  }

  /** Counts up to now. To be called before a task, its end, or a limit changes: the past is counted as it was. */
  count(): void {
    // A clock that is set back takes nothing away.
    const now = Math.max(this.#now(), this.#countedTo);
    const { teams, concurrency } = this.#limits();
    for (const name of teams) this.#team(name).allowedSlotMs += concurrency * (now - this.#countedTo);
    for (const team of this.#teams.values()) {
      for (const task of team.open) {
        const endsAt = this.#endsAt(task);
        team.busySlotMs += Math.max(0, Math.min(endsAt, now) - this.#countedTo);
        if (endsAt <= now) team.open.delete(task);
      }
    }
    this.#countedTo = now;
  }

  unfinished(team: string): number {
    this.count();
    return this.#team(team).open.size;
  }

  /** Opens a task's slot, as of now. */
  open(task: Task): void {
    this.count();
    const team = this.#team(task.team);
    if (this.#endsAt(task) > this.#now()) team.open.add(task);
    team.peak = Math.max(team.peak, team.open.size);
  }

  /** Frees a task's slot, as of now. */
  free(task: Task): void {
    this.count();
    this.#team(task.team).open.delete(task);
  }

  /** By the name of the team. */
  use(): Record<string, SlotUse> {
    this.count();
    return Object.fromEntries(
      [...this.#teams].map(([name, { open, ...sums }]) => [name, { unfinished: open.size, ...sums }]),
    );
  }

  clear(): void {
    this.#teams = new Map();
    this.#countedTo = this.#now();
  }

  #team(name: string): Team {
    const known = this.#teams.get(name);
    if (known !== undefined) return known;
    const fresh: Team = { open: new Set(), peak: 0, busySlotMs: 0, allowedSlotMs: 0 };
    this.#teams.set(name, fresh);
    return fresh;
  }
}
