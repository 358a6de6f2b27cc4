/** The commands and their options. */

import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type BackupOptions, backup } from './backup.js';
import { callerCommand, type PerformAlone } from './callers/program.js';
import { cancel, redeliver, remove } from './change.js';
import { type CreateOptions, create } from './create.js';
import type { ExitCode } from './exit-codes.js';
import { UsageError } from './failure.js';
import { type GetOptions, get, type ListOptions, list } from './read.js';
import type { CommonOptions, Session } from './session.js';
import { type WatchOptions, watch } from './watch.js';

/** Opens a session with the options of a command, and does in it what the command is for. */
export type Perform = (
  options: CommonOptions,
  verb: (session: Session) => Promise<ExitCode>,
) => Promise<void>;

const NOTES = `
Environment of the commands:
  AVATAR_GATEWAY_URL  where the gateway is [http://127.0.0.1:8080]
  AVATAR_GATEWAY_KEY  the key to call it with
  CALLERS_FILE        the file that caller changes
  DATA_DIR            the folder that backup copies from [./data]

A command ends with
  0    done; for create and watch: the avatar succeeded
  1    the avatar ended otherwise, or the gateway refused
  2    an argument is wrong
  3    the gateway cannot be reached, or failed
  4    the --timeout of waiting is over
  130  interrupted
`;

/** The commands, `serve` aside, which is the process itself. */
export function commandsFor(perform: Perform, performAlone: PerformAlone): Command {
  const program = new Command('avatar-gateway')
    .description('Talking avatars: a server, and commands that call one.')
    .usage('[serve | COMMAND] [options]');
  program
    .command('serve')
    .description('serve avatars, as without a command; its settings: avatar-gateway --help');

  common(
    program
      .command('create')
      .description('make an avatar, wait for it, write its video')
      .requiredOption('--image <file|url>', 'the portrait; - for stdin')
      .addOption(new Option('--audio <file|url>', 'the speech; - for stdin').conflicts('audioId'))
      .option('--audio-id <id>', 'the speech, as an id of Modellix')
      .option('--prompt <text>', 'how it is to look and move')
      .addOption(new Option('--mode <mode>', 'pro costs more and takes longer').choices(['std', 'pro']))
      .option('--external-id <id>', 'a name of yours')
      .option('--metadata <name=value...>', 'facts of yours', pair)
      .option('--callback-url <url>', 'who is told of the end')
      .option('--start-within <seconds>', 'cancel it unless it was submitted by then', count)
      .option('--idempotency-key <key>', 'the same key and request make one avatar [a random one]')
      .option('--out <file>', 'where the video goes; - for stdout')
      .option('--force', 'write over a file that is there')
      .addOption(new Option('--no-wait', 'end once it is accepted, and print its id').conflicts('out'))
      .option('--timeout <seconds>', 'how long to wait for its end', seconds)
      .addOption(new Option('--check', 'make nothing: say what it would cost').conflicts('out')),
  ).action((options: CreateOptions) => perform(options, (session) => create(session, options)));

  common(
    program
      .command('get')
      .description('show an avatar, or write its video')
      .addArgument(id('<id>'))
      .option('--out <file>', 'where the video goes; - for stdout')
      .option('--force', 'write over a file that is there'),
  ).action((id: string, options: GetOptions) => perform(options, (session) => get(session, id, options)));

  common(
    program
      .command('list')
      .description('show avatars, the newest first')
      .option('--status <status>', 'only those; several are separated by commas')
      .option('--external-id <id>', 'only those with this name of yours')
      .addOption(new Option('--limit <count>', 'how many').argParser(count).default(20)),
  ).action((options: ListOptions) => perform(options, (session) => list(session, options)));

  common(
    program
      .command('watch')
      .description('follow an avatar to its end; without an id, all avatars until interrupted')
      .addArgument(id('[id]'))
      .option('--timeout <seconds>', 'how long to wait for its end', seconds),
  ).action((id: string | undefined, options: WatchOptions) =>
    perform(options, (session) => watch(session, id, options)),
  );

  for (const [name, description, verb] of [
    ['cancel', 'end an avatar that is still queued', cancel],
    ['delete', 'forget an avatar that is final, and its video', remove],
    ['redeliver', 'send the callback of an avatar again', redeliver],
  ] as const) {
    common(program.command(name).description(description).addArgument(id('<id>'))).action(
      (id: string, options: CommonOptions) => perform(options, (session) => verb(session, id)),
    );
  }
  program
    .command('backup')
    .description('copy the database of the embedded store, while the gateway runs or not')
    .argument('<file>', 'where to; it must not be there yet')
    .option('--data-dir <dir>', 'the folder of the gateway [DATA_DIR, or ./data]')
    .action((file: string, options: BackupOptions) => performAlone((io) => backup(io, file, options)));
  program.addCommand(callerCommand(performAlone));
  program
    .command('client', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action(() => {
      throw new UsageError('client is called caller now, as in: avatar-gateway caller add NAME');
    });
  return program.addHelpText('after', NOTES);
}

const nothing = async () => undefined;

/** The overview, for the help of the process. */
export const COMMANDS_HELP = `${commandsFor(nothing, nothing).helpInformation()}${NOTES}`;

function common(command: Command): Command {
  return command
    .optionsGroup('Common options:')
    .option('--url <url>', 'where the gateway is [AVATAR_GATEWAY_URL, or http://127.0.0.1:8080]')
    .option('--key-file <file>', 'holds the key to call it with [AVATAR_GATEWAY_KEY]')
    .option('--request-timeout <seconds>', 'how long one request may take, beside its upload [30]', seconds)
    .option('--json', 'print avatars as JSON, one a line')
    .option('--quiet', 'do not say how it goes');
}

/** What it takes for one is sent as a part of a path. */
function id(name: string): Argument {
  return new Argument(name, 'av_...').argParser((text) => {
    if (/^[\w-]+$/.test(text)) return text;
    throw new InvalidArgumentError('Not the id of an avatar.');
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('Not a number of seconds.');
}

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Not a whole number above 0.');
}

function pair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Not name=value.');
  return { ...before, [name]: value };
}
