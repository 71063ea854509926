import { createReadStream, statSync } from 'node:fs';
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asAccountSid, asRecordingSid, CustodyError } from '@flex-custody/core';
import {
  createKeys,
  type KeyConfig,
  type Keys,
  openStream,
  parseKeyFile,
  type SealContext,
  sealStream,
} from '@flex-custody/vault';
import type { Command } from 'commander';
import { isOpenToOthers, readPrivateFile } from '../config/private-file.ts';
import { systemCode } from '../config/system-code.ts';
import { openOutput } from './file-output.ts';
import { Progress } from './progress.ts';

interface Options {
  in: string;
  out: string;
  keyFile?: string;
  recording?: string;
  account?: string;
  force?: boolean;
}

/**
 * `encrypt` and `decrypt`: what the host does to a recording, for one file and offline. `loadKeys` reads the keys of the
 * environment, for when no key file is given.
 */
export function registerEnvelopeCommands(program: Command, loadKeys: () => KeyConfig): void {
  const add = (
    name: string,
    description: string,
    work: (keys: Keys, of: SealContext | undefined) => Promise<Transform>,
  ) => {
    const command = program
      .command(name)
      .description(description)
      .requiredOption('--in <file>', 'the file to read; - is standard input')
      .requiredOption('--out <file>', 'the file to write; - is standard output')
      .option(
        '--key-file <file>',
        'lines "<key id>:<base64 of 32 bytes>", newest first, or PEM; by default the environment’s keys',
      )
      .option('--recording <RE…>', 'the recording it is bound to')
      .option('--account <AC…>', 'the account of that recording')
      .option('--force', 'replace an existing file');
    command.action(async (options: Options) => {
      const of = contextOf(options, command);
      const keys = createKeys(options.keyFile === undefined ? loadKeys() : readKeyFile(options.keyFile));
      const done = name === 'encrypt' ? 'encrypted' : 'decrypted';
      if (await convert(options, done, () => work(keys, of))) console.error(writtenText(options, done));
    });
  };
  add('encrypt', 'encrypt one file as recordings are encrypted', sealStream);
  add(
    'decrypt',
    'decrypt one object and check all of it; with --recording and --account, also whose it is',
    async (keys, of) => {
      if (!keys.canOpen) {
        throw new CustodyError(
          'envelope_wrong_key',
          `the key ${keys.keyId} can only encrypt: give the private key with --key-file`,
        );
      }
      return openStream(keys, of);
    },
  );
}

function contextOf({ recording, account }: Options, command: Command): SealContext | undefined {
  if (recording === undefined && account === undefined) return undefined;
  if (asRecordingSid(recording) === undefined || asAccountSid(account) === undefined) {
    command.error('error: --recording RE… and --account AC… go together, each with 32 hexadecimal digits', {
      exitCode: 2,
    });
  }
  return { recording: String(recording), account: String(account) };
}

function readKeyFile(path: string): KeyConfig {
  let text: string;
  try {
    text = readPrivateFile(path, 'read');
  } catch (cause) {
    if (isOpenToOthers(cause)) throw new CustodyError('key_file', `the key file is ${cause.message}`);
    throw new CustodyError('key_file', `the key file ${path} cannot be read (${systemCode(cause)})`);
  }
  return parseKeyFile(text);
}

function writtenText({ in: from, out }: Options, done: string): string {
  const bytes = statSync(out, { throwIfNoEntry: false })?.size;
  return `Wrote ${out}${bytes === undefined ? '' : ` (${bytes} bytes)`}: ${from}, ${done}.`;
}

/** @returns whether a file was written; false for standard output */
async function convert(options: Options, done: string, build: () => Promise<Transform>): Promise<boolean> {
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  // Before any file is opened: a stream that fails without an error listener ends the process.
  const converter = await build();
  const { input, bytes } = openInput(options.in);
  const output = openOutput(options.out, options.force === true);
  try {
    const steps = [input, new Progress(done, bytes), converter, output.stream] as const;
    await pipeline(...steps, { signal: interrupted.signal, end: output.end });
    await output.keep();
    return options.out !== '-';
  } catch (error) {
    input.destroy();
    await output.discard();
    // The reader of standard output has closed it.
    if (options.out === '-' && systemCode(error) === 'EPIPE') return false;
    if (interrupted.signal.aborted) throw new CustodyError('interrupted', `${options.out} was not written`);
    throw explained(error, options);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function openInput(path: string): { input: Readable; bytes: number | undefined } {
  if (path === '-') return { input: process.stdin, bytes: undefined };
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  return { input: createReadStream(path, { highWaterMark: 1024 * 1024 }), bytes };
}

function explained(error: unknown, { in: from, out }: Options): unknown {
  if (error instanceof CustodyError) return error;
  const code = systemCode(error);
  const path = (error as { path?: string }).path === from ? from : out;
  const why: Record<string, string> = {
    ENOENT: path === from ? `${from} does not exist` : `the folder of ${out} does not exist`,
    EACCES: `you may not ${path === from ? 'read' : 'write'} ${path}`,
    EISDIR: `${path} is a folder`,
    ENOSPC: `the disk of ${out} is full: free some space, or write elsewhere`,
  };
  const message = why[code];
  return message === undefined ? error : new CustodyError('file_error', message);
}
