/** What a command ends with. `docs/cli.md` and the help say the same. */
export const EXIT = {
  ok: 0,
  /** The avatar ended otherwise, or the request was refused. */
  failed: 1,
  usage: 2,
  /** No answer of the gateway, a redirect to somebody else, or answers of 500 and above. */
  unreachable: 3,
  timedOut: 4,
  /** 128 + SIGINT, as shells count. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
