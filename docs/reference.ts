/** The two reference pages that are made from the code: each setting, each problem. */

import { SECRETS, SETTINGS } from '../src/config/read-config.js';
import { PROBLEMS, type ProblemSlug, problemType } from '../src/problems.js';

const NOTE = '<!-- Made by `npm run docs` from the code; edit the code. -->';

const FILES = SECRETS.map((name) => `\`${name}_FILE\``);

export const pages: Readonly<Record<string, () => string>> = {
  'problems.md': () => {
    const rows = (Object.keys(PROBLEMS) as ProblemSlug[]).map((slug) => {
      const { status, title, help } = PROBLEMS[slug];
      return `| ${status} | \`${slug}\` | ${title} | ${help} |`;
    });
    return `# Problems

${NOTE}

Every error is \`application/problem+json\` (RFC 9457) with \`type\`, \`title\`, \`status\`, \`detail\`, \`instance\` and
\`request_id\`. \`type\` is \`${problemType('validation').replace('validation', '<name>')}\`. Where fields are at fault, \`errors\` lists each with a JSON
pointer (RFC 6901). An avatar that ended badly carries the same \`type\` in its \`error\`.

| status | name | title | what to do |
|---|---|---|---|
${rows.join('\n')}
`;
  },

  'configuration.md': () => {
    const rows = SETTINGS.map(({ name, description, fallback }) => {
      const value = fallback === undefined ? '' : `\`${fallback}\``;
      return `| \`${name}\` | ${description} | ${value} |`;
    });
    return `# Configuration

${NOTE}

Settings are environment variables. Those that are not set are taken from \`.env\` in the folder where the gateway is started, if
there is one. An empty variable counts as unset.

They are checked at start: a wrong one stops the start with one line that names it and exit code 2. So do quotation marks around a value, which
\`docker run --env-file\` keeps, and names that were meant for settings: \`REDIS_URI\`, \`MODELLIX_APIKEY\`, anything else that begins
with \`MODELLIX_\`, and, while \`REDIS_URL\` is not set, with \`REDIS_\`. What Kubernetes sets for services is left alone. Where such a
name is another program's, set it to nothing for the gateway: \`WEBHOOK_SECRET= npm start\`.

A secret can be given in a file instead:
${FILES.slice(0, -1).join(', ')} and ${FILES.at(-1)}
name files that hold the value. Prefer them: secrets are taken out of the environment once they are read, but
\`/proc/PID/environ\` goes on showing what the process was started with, and so do tools that inspect containers.

| variable | what it is | default |
|---|---|---|
${rows.join('\n')}

In \`CALLBACK_NETWORKS\`, \`MEDIA_URL_NETWORKS\` and \`VIDEO_NETWORKS\` a network with \`!\` before it is never connected to, public or not.
Close your own public addresses in this way, and the prefix of a NAT64 of yours: \`CALLBACK_NETWORKS=10.1.0.0/16,!203.0.113.0/24\`.

Exit codes: 0 after SIGTERM or SIGINT, 1 when the gateway could not start or met an error nobody caught, 2 for a wrong
setting or argument. Give an orchestrator a longer grace than \`SHUTDOWN_DELAY_SECONDS\` and \`SHUTDOWN_GRACE_SECONDS\` together: a
submit that is cut off ends as \`unconfirmed\`. [containers.md](containers.md) says how a stop goes.
`;
  },
};
