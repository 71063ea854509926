import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { CustodyError } from '@flex-custody/core';
import { createTwilio } from '@flex-custody/twilio';
import { createKeys, createStore, openStream, sealStream } from '@flex-custody/vault';
import type { Command } from 'commander';
import { type Config, loadConfig, twilioCredentials } from '../config.ts';
import { openDatabase } from '../db.ts';
import { migrations } from '../migrations.ts';
import { explain } from '../start/explain.ts';
import { probeBucket } from './bucket-probe.ts';

export interface Finding {
  ok: boolean;
  name: string;
  detail: string;
  /** What to do about it; absent where nothing is to be done. */
  next?: string;
}

const limitMs = 5_000;

/** Each looks at one thing from outside and answers what it saw; it throws a CustodyError whose message says the next step. */
export type Check = (config: Config) => Promise<string>;

export const checks: Readonly<Record<string, Check>> = {
  async account(config) {
    const account = await twilioOf(config).account();
    if (!account) throw advice('there is no such account', 'check TWILIO_ACCOUNT_SID in the Twilio Console');
    if (account.status !== 'active')
      throw advice(`the account is ${account.status}`, 'activate it in the Twilio Console');
    return `${account.friendlyName}, active`;
  },
  async workspace(config) {
    const workspace = await twilioOf(config).workspace();
    if (workspace) return workspace.friendlyName;
    throw advice(
      'the account has no such workspace',
      "set TWILIO_WORKSPACE_SID to Flex's (Console, TaskRouter)",
    );
  },
  async bucket(config) {
    const store = createStore(config.store);
    const { bucket, endpoint, region } = config.store;
    try {
      const keys = config.keyConfig && createKeys(config.keyConfig);
      const versions = await probeBucket(store, keys, config.accountSid);
      const kept = versions ? 'versions are kept' : 'versions are not kept';
      return `${bucket} at ${endpoint ?? `AWS, ${region}`}: may write, read, list and delete; ${kept}`;
    } finally {
      store.close();
    }
  },
  async key(config) {
    if (!config.keyConfig) return 'mode sse-kms: S3 seals';
    const keys = createKeys(config.keyConfig);
    const context = { account: config.accountSid, recording: 'doctor' };
    const plain = randomBytes(1_024);
    const seal = await sealStream(keys, context);
    seal.end(plain);
    const open = openStream(keys, context);
    open.end(await buffer(seal));
    if (Buffer.compare(await buffer(open), plain) === 0) return `${keys.keyId} seals and opens`;
    throw advice('1 KiB came back changed', 'do not go on with this key; report it');
  },
  async database(config) {
    const db = await openDatabase(config.database).catch((error: unknown) => {
      // A running host has the embedded one to itself, which is as it should be.
      if (error instanceof CustodyError && error.code === 'data_dir_locked') return undefined;
      throw error;
    });
    if (!db) return 'embedded, in use by a running host';
    try {
      const [table] = await db.query<{ there: boolean }>(
        `SELECT to_regclass('schema_version') IS NOT NULL AS there`,
      );
      if (!table?.there) return `${db.kind}, empty: the host sets it up at its first start`;
      const [row] = await db.query<{ n: number }>(
        'SELECT coalesce(max(version), 0)::int AS n FROM schema_version',
      );
      const version = row?.n ?? 0;
      if (version <= migrations.length) return `${db.kind}, version ${version} of ${migrations.length}`;
      throw advice(`is at version ${version}, newer than this program`, 'run the newer release');
    } finally {
      await db.close();
    }
  },
  async host({ publicUrl }) {
    const reply = await fetch(`${publicUrl}/`, {
      signal: AbortSignal.timeout(limitMs),
      redirect: 'manual',
    }).catch(() => {
      throw advice(
        `nothing answers at ${publicUrl}`,
        'start the host (flex-custody serve), or check CUSTODY_PUBLIC_URL and the proxy',
      );
    });
    const body: unknown = await reply.json().catch(() => undefined);
    if (reply.ok && (body as { name?: unknown } | undefined)?.name === 'flex-custody')
      return `answers at ${publicUrl}`;
    throw advice(
      `${publicUrl} answers ${reply.status}, but not as this host`,
      'point CUSTODY_PUBLIC_URL, or the proxy behind it, to the host',
    );
  },
};

const twilioOf = (config: Config) =>
  createTwilio({
    accountSid: config.accountSid,
    workspaceSid: config.workspaceSid,
    ...twilioCredentials(config),
  });

/** The environment first, as nothing else can be looked at without it; then everything else side by side. */
export async function examine(
  load: () => Config,
  those: Readonly<Record<string, Check>> = checks,
  ms = limitMs,
): Promise<Finding[]> {
  let config: Config;
  try {
    config = load();
  } catch (error) {
    const lines = error instanceof CustodyError ? error.message.split('\n') : [String(error)];
    return lines.map((line) => {
      const [detail = line, ...next] = line.split(': ');
      return { ok: false, name: 'environment', detail, next: next.join(': ') || 'see docs/configuration.md' };
    });
  }
  const findings = await Promise.all(
    Object.entries(those).map(async ([name, check]): Promise<Finding> => {
      try {
        return { ok: true, name, detail: await inTime(check(config), ms) };
      } catch (error) {
        return { ok: false, name, ...diagnosis(error) };
      }
    }),
  );
  return [{ ok: true, name: 'environment', detail: 'complete' }, ...findings];
}

export const lineOf = ({ ok, name, detail, next }: Finding): string =>
  `${ok ? 'ok ' : 'fix'}  ${name.padEnd(11)}  ${detail}${next ? ` → ${next}` : ''}`;

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at everything the host needs, and say what to do about what is wrong')
    .option('--json', 'a list of {ok, name, detail, next}')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine(loadConfig);
      console.log(json ? JSON.stringify(findings, undefined, 2) : findings.map(lineOf).join('\n'));
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1;
    });
}

/** A message of the form `what is wrong` and its next step. */
function advice(detail: string, next: string): CustodyError {
  return new CustodyError('doctor', `${detail}: ${next}`);
}

/** Messages of ours read `fault: next step`; the last colon but those inside URLs and addresses parts them. */
function diagnosis(error: unknown): { detail: string; next: string } {
  const text = explain(error) ?? (error instanceof Error ? error.message : String(error));
  const passing = error instanceof CustodyError && /^(twilio|database)_unavailable$/.test(error.code);
  if (passing) return { detail: text, next: 'check that it runs, and the network and proxy on the way' };
  const cut = Math.max(text.lastIndexOf(': '), text.lastIndexOf('; '));
  if (cut < 0) return { detail: text, next: 'see the log of the host' };
  return { detail: text.slice(0, cut), next: text.slice(cut + 2) };
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          advice(`no answer within ${ms / 1_000} s`, 'check the network, proxy and firewall on the way'),
        ),
      ms,
    );
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
