/** The commands on the file of callers, and their options. */

import { Command, InvalidArgumentError, Option } from 'commander';
import type { ExitCode } from '../exit-codes.js';
import type { Io } from '../io.js';
import { type AddOptions, add, remove, rotate } from './change.js';
import { check, list } from './show.js';

/** Does what a command is for, without a gateway. */
export type PerformAlone = (verb: (io: Io) => Promise<ExitCode>) => Promise<void>;

export function callerCommand(perform: PerformAlone): Command {
  const program = new Command('caller').description('say who may call: add, rotate, list, check, remove');
  onFile(
    program
      .command('add')
      .description('let somebody call: print a new key, and write its hash into the file')
      .argument('<name>')
      .option('--mode <mode>', 'it may ask for this one only; may be repeated', collect)
      .option('--requests-per-minute <count>', 'how many requests it may make', number)
      .option('--unfinished-avatars <count>', 'how many of its avatars may be unfinished at once', number)
      .option('--queue-share <share>', 'how often it has its turn in the queue, 1 to 100', number)
      .option('--usd-per-day <usd>', 'what it may spend on a day of UTC', number)
      .option('--usd-per-month <usd>', 'what it may spend in a month of UTC', number)
      .option('--callback-host <host>', 'its callbacks may go there only; may be repeated', collect)
      .option('--with-webhook-secret', 'sign its callbacks with a new secret of its own')
      .option('--admin', "it sees everyone's avatars")
      .option('--expires-at <time>', 'when its keys end, such as 2027-01-31T00:00:00Z')
      .addOption(
        new Option('--expires-in-days <days>', 'the same, from now').argParser(days).conflicts('expiresAt'),
      ),
  ).action((name: string, options: AddOptions) => perform((io) => add(io, name, options)));
  onFile(
    program
      .command('rotate')
      .description('print a new key beside that of before; both count until --finish')
      .argument('<name>')
      .option('--finish', 'the older key is none any more'),
  ).action((name, options) => perform((io) => rotate(io, name, options)));
  onFile(
    program
      .command('list')
      .description('show who may call')
      .option('--json', 'print them as JSON, one a line'),
  ).action((options) => perform((io) => list(io, options)));
  onFile(program.command('check').description('say whether the file can be used')).action((options) =>
    perform((io) => check(io, options)),
  );
  onFile(program.command('remove').description('let somebody call no more').argument('<name>')).action(
    (name, options) => perform((io) => remove(io, name, options)),
  );
  return program;
}

function onFile(command: Command): Command {
  return command.option('--file <file>', 'the file of callers [CALLERS_FILE]');
}

function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

function number(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Not a number.');
}

function days(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Not a number of days.');
}
