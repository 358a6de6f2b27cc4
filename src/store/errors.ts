/** What a store throws. */

/** The store cannot be read or written now. The message names no host and no password. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** What is stored for an avatar is no record of it: cut, overwritten, or another avatar's. */
export class CorruptRecordError extends Error {
  override readonly name = 'CorruptRecordError';
}

/** The embedded store's directory belongs to another process, and one process at a time is all it allows. */
export class StoreLockedError extends Error {
  override readonly name = 'StoreLockedError';
  constructor(dir: string, options?: ErrorOptions) {
    super(`the data directory ${dir} is in use by another process`, options);
  }
}

/** The queue is at its bounds; nothing was written. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
  readonly bound: 'avatars' | 'bytes';
  constructor(bound: 'avatars' | 'bytes') {
    super(`the queue holds as many ${bound} as it may`);
    this.bound = bound;
  }
}

/** The caller is at one of its own limits; nothing was written. */
export class CallerLimitError extends Error {
  override readonly name = 'CallerLimitError';
  readonly limit: 'unfinished' | 'day' | 'month';
  constructor(limit: 'unfinished' | 'day' | 'month') {
    super(`the caller is at its limit: ${limit}`);
    this.limit = limit;
  }
}
