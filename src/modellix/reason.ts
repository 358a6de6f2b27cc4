/** What the words of a refusal or a failure are about, where that is known (contract, "Errors" and "Account"). Pure. */

/** Content that is not allowed; an account that cannot pay; more tasks at the same time than there may be. */
export type Reason = 'content' | 'arrears' | 'parallel';

const CODES: Readonly<Record<string, Reason>> = {
  1101: 'arrears',
  1102: 'arrears',
  1300: 'content',
  1301: 'content',
  1303: 'parallel',
};

/** Kling's code within words: named as one, in brackets, or set off at the beginning of what is said. A width is none. */
const CODE = /\b(?:code|error|kling)\W{0,3}(1[13]0\d)\b|\[(1[13]0\d)\]|(?:^|: )(1[13]0\d)(?= ?[-:])/i;

const WORDS: readonly (readonly [Reason, RegExp])[] = [
  [
    'content',
    /\bcontent[ -](?:polic|secur|safe|moderat|violat|filter|restrict)|\b(?:safety|moderation|nsfw)\b|\b(?:sensitive|prohibited|inappropriate) (?:content|words?|information)\b|\brisk control\b|\bcommunity guidelines\b|\b(?:platform|usage) polic/i,
  ],
  [
    'arrears',
    /\barrears\b|\b(?:insufficient|not enough) (?:account )?(?:balance|credits?|funds)\b|\b(?:balance|credits?|resource pack(?:age)?)\b.{0,30}\b(?:insufficient|used up|exhausted|depleted|expired|not enough)\b/i,
  ],
  ['parallel', /concurren|\bparallel\b/i],
];

/**
 * @param code a code beside the words, where there is one
 * @returns `null` where they are about something else
 */
export function reasonIn(words: string | null, code?: unknown): Reason | null {
  const known = CODES[String(code)];
  if (known !== undefined) return known;
  if (words === null) return null;
  const [, ...said] = CODE.exec(words) ?? [];
  const coded = CODES[said.find((each) => each !== undefined) ?? ''];
  return coded ?? WORDS.find(([, pattern]) => pattern.test(words))?.[0] ?? null;
}

/** A path of Modellix's, or what it calls the model: there are words in them that mean something else elsewhere. */
const NAMES = /(?<![\w:/])\/[^\s"')]*|\b(?:image-to-video|kling)\b[\w/-]*/gi;
const ROUTE = /\b(?:route|path|endpoint|model|provider|page)s?\b|\bAPI\b|\bcannot post\b/i;
/** What a request holds. A URL is a caller's. */
const INPUTS =
  /\b(?:audio|sound|voice|speech|image|photo|picture|portrait|face|file|media|prompt|task|https?)|\b(?:mode|key)\b/i;

/** Whether the words of a 404 say that there is no such route or model, and nothing of what the request holds. */
export function saysNoRoute(words: string): boolean {
  const rest = words.replace(NAMES, ' ');
  return ROUTE.test(rest) && !INPUTS.test(rest);
}
