import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from './stage.ts';

export interface Traces {
  filesRead: number;
  /** Files in which audio lies in clear. */
  plaintext: string[];
  /** Logs with a secret, a token, a phone number or a key in them: what kind, and where; never the thing itself. */
  secrets: string[];
  /** Promises that failed unheard, and errors that nobody caught. */
  unhandled: string[];
}

const wavHead = 44;
const needleBytes = 32;
const needles = 24;

/** Looks through everything that our processes have written to this machine. */
export async function traces(stage: Stage): Promise<Traces> {
  const found: Traces = { filesRead: 0, plaintext: [], secrets: [], unhandled: [] };
  const audio = audioNeedles();
  const bucket = join(stage.hostFolder, '../sandbox/s3');
  for (const file of [stage.hostFolder, stage.logFolder, bucket].flatMap(filesOf)) {
    found.filesRead += 1;
    if (await holds(file, audio)) found.plaintext.push(file);
  }
  const secrets = secretsOf(stage);
  for (const file of filesOf(stage.logFolder).filter((name) => name.endsWith('.log'))) {
    const text = readFileSync(file, 'latin1');
    for (const [what, secret] of secrets) if (text.includes(secret)) found.secrets.push(`${what} in ${file}`);
    for (const [line] of text.matchAll(
      /.*(unhandledRejection|UnhandledPromise|unhandled rejection|uncaught error).*/g,
    ))
      found.unhandled.push(line.slice(0, 300));
  }
  found.unhandled.push(...stage.accidents);
  return found;
}

/** The recordings are the dialogue again and again: any of these windows, in one channel or two, gives audio away. */
function audioNeedles(): Buffer[] {
  const wav = readFileSync('sandbox/media/dialogue.wav');
  const stereo = wav.subarray(wavHead);
  const mono = Buffer.alloc(stereo.length / 2);
  for (let at = 0; at + 4 <= stereo.length; at += 4)
    mono.writeInt16LE((stereo.readInt16LE(at) + stereo.readInt16LE(at + 2)) >> 1, at / 2);
  const windows: Buffer[] = [Buffer.from('WAVEfmt ')];
  for (const samples of [stereo, mono]) {
    // Past the mark, which differs; and where somebody speaks: silence lies in any file.
    for (let index = 1; index <= needles; index += 1) {
      const from = Math.floor((samples.length * index) / (needles + 1) / 4) * 4;
      for (let at = from; at + needleBytes < samples.length; at += 400) {
        const window = samples.subarray(at, at + needleBytes);
        if (new Set(window).size < 20) continue;
        windows.push(window);
        break;
      }
    }
  }
  return windows;
}

function secretsOf({ sandbox, secrets }: Stage): [string, string][] {
  const { accountSid, authToken } = sandbox.account;
  const { world } = sandbox.twilio;
  const pem = readFileSync(secrets.keyFile, 'utf8').split('\n')[3] ?? '';
  return [
    ['the auth token', authToken],
    ['its Basic credentials', Buffer.from(`${accountSid}:${authToken}`).toString('base64')],
    ["the bucket's secret", sandbox.s3.secretAccessKey],
    ["the host's secret of the bucket", sandbox.s3.identities.host.secretAccessKey],
    ["the Functions' secret of the bucket", sandbox.s3.identities.functions.secretAccessKey],
    ['the secret of the Functions', secrets.functionSecret],
    ['the secret of the media links', secrets.mediaSecret],
    ['the private key', pem],
    ['the signing key', readFileSync(secrets.signingKeyFile, 'utf8').split('\n')[1] ?? ''],
    ["a customer's number", '14155550142'],
    ...[...world.tokens.keys()].map((token): [string, string] => ['a Flex token', token]),
  ];
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => statSync(file).size > 0 && !file.endsWith('functions.env'));
  } catch {
    return [];
  }
}

/** In pieces that overlap, so that what lies across two is seen too. */
async function holds(file: string, audio: readonly Buffer[]): Promise<boolean> {
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, {
    highWaterMark: 8 * 1024 * 1024,
  }) as AsyncIterable<Buffer>) {
    const window = Buffer.concat([tail, chunk]);
    if (audio.some((needle) => window.includes(needle))) return true;
    tail = Buffer.from(window.subarray(-needleBytes));
  }
  return false;
}
