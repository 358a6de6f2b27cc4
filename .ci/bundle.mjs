/**
 * `node .ci/bundle.mjs FILE`: puts all that a built script loads into it, in place. More than a thousand files take longer to find
 * than to run. What is imported when it is asked for stays apart, in files beside it; it is an ECMAScript module, since of others
 * nothing but the default can be imported so.
 */

import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve, sep } from 'node:path';
import { build } from 'esbuild';

const main = resolve(process.argv[2] ?? '');
const root = dirname(main);

/** A module goes on finding what lies beside it. */
const ownUrls = {
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!path.startsWith(root + sep)) return undefined;
      const own = JSON.stringify(`./${relative(root, path)}`);
      const text = await readFile(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', `new URL(${own}, import.meta.url).href`) };
    });
  },
};

await build({
  entryPoints: [main],
  outdir: root,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  // Beside the script: its URLs are relative to it.
  chunkNames: '[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  sourcesContent: false,
  plugins: [ownUrls],
  // They load binaries, or start threads, from files of theirs.
  external: ['libsql', 'piscina', '@fastify/swagger-ui'],
  // For modules that are not ECMAScript's.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module';\nconst require = createRequireOfBundle(import.meta.url);",
  },
  logLevel: 'warning',
});
