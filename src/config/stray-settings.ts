/** Variables that are no settings and were meant for some: by a name near one, or by a prefix that is ours. */

/** Names of before. */
const RENAMED: Readonly<Record<string, string>> = { CLIENTS_FILE: 'CALLERS_FILE' };

/** A shorter name is near too much that others use. */
const SHORTEST_NEAR = 7;
const MAX_EDITS = 3;

/** What Kubernetes tells each container of the services beside it, whatever they are called. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_URL = /^(tcp|udp|sctp):\/\//;

/** What is wrong with the first such variable, on one line, without its value; `null` where there is none. */
export function strayIn(
  values: Readonly<Record<string, string>>,
  settings: ReadonlySet<string>,
): string | null {
  for (const [name, value] of Object.entries(values)) {
    if (settings.has(name) || SERVICE_LINK.test(name) || SERVICE_URL.test(value)) continue;
    const renamed = RENAMED[name];
    if (renamed !== undefined) return `${name} is called ${renamed} now: set that instead`;
    const near = nearest(name, settings);
    if (near !== null) return `${shown(name)} is not a setting: is ${near} meant?`;
    if (name.startsWith('MODELLIX_')) return `${shown(name)} is not a setting: --help lists those there are`;
    // Beside a REDIS_URL they are another program's.
    if (name.startsWith('REDIS_') && !values.REDIS_URL && !values.REDIS_URL_FILE) {
      return `${shown(name)} is not a setting: REDIS_URL says where Redis is`;
    }
  }
  return null;
}

function nearest(name: string, settings: ReadonlySet<string>): string | null {
  // HTTP_PROXY and its like are everybody's.
  if (/_PROXY$/i.test(name)) return null;
  const letters = lettersOf(name);
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const setting of settings) {
    const own = lettersOf(setting);
    if (own.length < SHORTEST_NEAR) continue;
    const most = Math.min(MAX_EDITS, Math.floor(own.length / 4), fewest - 1);
    if (Math.abs(own.length - letters.length) > most) continue;
    const edits = editsBetween(own, letters, most);
    if (edits > most) continue;
    best = setting;
    fewest = edits;
  }
  return best;
}

/** Neither case nor what separates words makes another name. */
const lettersOf = (name: string) => name.toUpperCase().replace(/[^A-Z0-9]/g, '');

/** How many letters are added, left out or changed (Levenshtein); where it is more than `most`, any number above that. */
function editsBetween(one: string, other: string, most: number): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    let left = line + 1;
    row = row.map((above, at) => {
      if (at === 0) return left;
      const diagonal = (row[at - 1] ?? 0) + (letter === other[at - 1] ? 0 : 1);
      left = Math.min(above + 1, left + 1, diagonal);
      return left;
    });
    if (Math.min(...row) > most) return most + 1;
  }
  return row[other.length] ?? 0;
}

const shown = (name: string) => (/^[\x21-\x7e]{1,80}$/.test(name) ? name : JSON.stringify(name.slice(0, 80)));
