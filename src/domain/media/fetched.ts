/** What came of a URL. `detail` is a predicate for the caller, without any address or name in it. */
export type Fetched =
  /** The whole file. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** There was no memory for it. */
  | { readonly kind: 'no-room' }
  /** `bytes` is its size where the host said it, else one more than was allowed. */
  | { readonly kind: 'too-large'; readonly bytes: number }
  /** Refused by a rule of ours, as in "leads to an address that is not on the public internet". */
  | { readonly kind: 'not-allowed'; readonly detail: string }
  /** As in "could not be fetched: the host answered 404". */
  | { readonly kind: 'unreachable'; readonly detail: string };
