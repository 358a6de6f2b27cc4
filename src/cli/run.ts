import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.js';
import { failureOf } from './failure.js';
import type { Io } from './io.js';
import { commandsFor } from './program.js';
import { openSession } from './session.js';

/** Does what the arguments say. @returns what to end with */
export async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = commandsFor(
    async (options, verb) => {
      code = await verb(await openSession(io, options));
    },
    async (verb) => {
      code = await verb(io);
    },
  );
  for (const command of allOf(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'avatar-gateway: ')),
    });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    const failure = failureOf(error, io.signal.aborted);
    if (failure.text !== '') io.stderr.write(`avatar-gateway: ${failure.text}\n`);
    return failure.code;
  }
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}
