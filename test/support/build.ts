/** The gateway as JavaScript in a folder of its own: it starts fast, and edits to `src` meanwhile do not reach it. */

import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** @returns the script to run */
export async function buildGateway(dir: string): Promise<string> {
  await build(dir, 'src');
  return join(dir, 'dist', 'main.js');
}

/** Only the client: scripts in the folder import it as `avatar-gateway/client`. */
export async function buildClient(dir: string): Promise<void> {
  await build(dir, 'src/client');
}

async function build(dir: string, part: string): Promise<void> {
  const target = join(dir, part.replace('src', 'dist'));
  const source = join(ROOT, part);
  for (const name of await readdir(source, { recursive: true })) {
    const from = join(source, name);
    if (name.endsWith('.lua')) await put(join(target, name), await readFile(from, 'utf8'));
    if (!name.endsWith('.ts')) continue;
    const { outputText } = ts.transpileModule(await readFile(from, 'utf8'), {
      fileName: from,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      },
    });
    await put(join(target, name.replace(/\.ts$/, '.js')), outputText);
  }
  await cp(join(ROOT, 'package.json'), join(dir, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
}

async function put(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
