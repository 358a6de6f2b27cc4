/** TypeScript made JavaScript ahead: it starts fast, and edits to the sources meanwhile do not reach it. */

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Those of the project that hold no source: they are made, are other people's, or somebody's own settings. */
const MADE = new Set(['.env', '.git', '.tap', 'coverage', 'data', 'dist', 'node_modules']);

/** Whether the tests run in what {@link buildProject} made. */
const isBuilt = extname(import.meta.url) === '.js';

/**
 * How Node.js runs a script of the project.
 *
 * @param name from the root of the project, without an extension
 */
export function argsFor(name: string): string[] {
  return isBuilt ? [join(ROOT, `${name}.js`)] : ['--import', 'tsx', join(ROOT, `${name}.ts`)];
}

/**
 * @param dir where to, unless all is built
 * @returns the script to run
 */
export async function buildGateway(dir: string): Promise<string> {
  if (isBuilt) return join(ROOT, 'src/main.js');
  await build(dir, 'src');
  return join(dir, 'dist', 'main.js');
}

/** Only the client: scripts in the folder import it as `avatar-gateway/client`. */
export async function buildClient(dir: string): Promise<void> {
  await build(dir, 'src/client');
}

/** The whole project as it is, and beside each file of TypeScript that tests load the same as JavaScript. */
export async function buildProject(dir: string): Promise<void> {
  for (const name of await readdir(ROOT)) {
    if (!MADE.has(name)) await cp(join(ROOT, name), join(dir, name), { recursive: true });
  }
  for (const part of ['src', 'test', 'openapi', 'docs', 'bench'])
    await transpile(join(ROOT, part), join(dir, part));
  await linkModules(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  await promisify(execFile)(process.execPath, [join(ROOT, '.ci/bundle.mjs'), join(dir, 'src/main.js')]);
}

/**
 * Other people's modules as they are, but for typebox: of its hundreds of files, which take a third of a start to load, each
 * entry is one. Who imports it has to lie beside it.
 */
async function linkModules(from: string, to: string): Promise<void> {
  const importer = '@fastify/type-provider-typebox';
  for (const folder of ['', dirname(importer)]) {
    await mkdir(join(to, folder), { recursive: true });
    for (const name of await readdir(join(from, folder))) {
      const path = join(folder, name);
      if (path === importer) await cp(join(from, path), join(to, path), { recursive: true });
      else if (path !== 'typebox' && path !== dirname(importer))
        await symlink(join(from, path), join(to, path));
    }
  }
  const [source, target] = [join(from, 'typebox'), join(to, 'typebox')];
  const description = await readFile(join(source, 'package.json'), 'utf8');
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'package.json'), description);
  const { exports } = JSON.parse(description) as { exports: Record<string, { import: string }> };
  const { build } = await import('esbuild');
  await build({
    entryPoints: Object.values(exports).map((entry) => join(source, entry.import)),
    outbase: source,
    outdir: target,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: `node${process.versions.node}`,
  });
}

async function build(dir: string, part: string): Promise<void> {
  const source = join(ROOT, part);
  const target = join(dir, part.replace('src', 'dist'));
  await transpile(source, target);
  for (const name of await readdir(source, { recursive: true })) {
    if (/\.(?:lua|sql|png|mp3)$/.test(name)) await cp(join(source, name), join(target, name));
  }
  await cp(join(ROOT, 'package.json'), join(dir, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
}

/** Each file by itself, with a map in it of where a line came from. */
async function transpile(source: string, target: string): Promise<void> {
  // Those that find all built are spared loading it.
  const { build } = await import('esbuild');
  const names = await readdir(source, { recursive: true });
  await build({
    entryPoints: names.filter((name) => name.endsWith('.ts')).map((name) => join(source, name)),
    outbase: source,
    outdir: target,
    target: 'es2023',
    sourcemap: 'inline',
    sourcesContent: false,
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
  });
}
