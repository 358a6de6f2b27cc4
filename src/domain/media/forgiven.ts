/** Something that is wrong with a file and keeps nobody from playing it. */
export interface Forgiven {
  /** A predicate for the caller, as in "claims 0 bytes of sound, there are 40000". */
  readonly what: string;
  /** Whether it was put right in the bytes, so that what is sent is without it. */
  readonly mended: boolean;
}

/** Takes note of what is forgiven. */
export type Forgive = (forgiven: Forgiven) => void;
