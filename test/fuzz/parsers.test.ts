import { generateKeyPairSync } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import {
  jsonFields,
  parseCopyReport,
  parseIngestRequest,
  parseRecordingCallback,
  parseReport,
  readEncryption,
  readSidecar,
} from '@flex-custody/core';
import {
  openEnvelope,
  openStream,
  parseKeyFile,
  proveWhole,
  readTwilioKeys,
  SampleDigest,
  signRequest,
  verifyRequest,
  WavHead,
} from '@flex-custody/vault';
import {
  aesKeys,
  collect,
  context,
  inChunks,
  memoryReader,
  sealSmall,
  wav,
} from '../../packages/vault/test/support.ts';
import { Analyser } from '../../server/src/audio/analyser.ts';
import { parseEvent } from '../../server/src/events/parse-event.ts';
import { account, cloudEvent, kinesisRecord } from '../../server/src/events/testing/cloud-events.ts';
import { flexTokenOf } from '../../server/src/http/plugins/flex-token.ts';
import { parseRange } from '../../server/src/http/range.ts';
import { readPolicy } from '../../server/src/retention/policy.ts';
import { createSigning } from '../../server/src/signing/identity.ts';
import { newSigningKey, readSigningKeys } from '../../server/src/signing/key-file.ts';
import { near, outcome } from './inputs.ts';

const hex = (prefix: string, digit: string) => prefix + digit.repeat(32);
const text = (...samples: string[]): Buffer[] => samples.map((sample) => Buffer.from(sample));
const json = (value: unknown): string => JSON.stringify(value);

/** What each input ends in, counted. Whatever is neither a value nor an error of ours fails the test. */
async function tried(
  name: string,
  samples: readonly Buffer[],
  rounds: number,
  work: (input: Buffer) => unknown,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const input of near(samples, rounds, name)) {
    const code = (await outcome(input, () => work(input))) ?? 'value';
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
/** The samples themselves are taken, and some inputs are not. */
const both = (counts: Record<string, number>, refused: RegExp): void => {
  const codes = Object.keys(counts).filter((code) => code !== 'value');
  expect(counts['value']).toBeGreaterThan(0);
  expect(codes.length).toBeGreaterThan(0);
  for (const code of codes) expect(code).toMatch(refused);
};

describe('a WAV file', () => {
  const list = Buffer.concat([Buffer.from('LIST\x10\0\0\0', 'latin1'), Buffer.alloc(16)]);
  const plain = wav(0.02);
  const samples = [plain, wav(0.01, 1), Buffer.concat([plain.subarray(0, 36), list, plain.subarray(36)])];

  test('has a layout or a reason, and a length that holds', async () => {
    const counts = await tried('wav', samples, 3_000, (input) => {
      const head = new WavHead();
      const behind = head.push(input);
      expect(head.layout === undefined || head.refusal === undefined).toBe(true);
      if (head.layout) expect(head.layout.dataStart + behind.length).toBe(input.length);
      proveWhole(head, input.length, {});
    });
    both(counts, /^media_(empty|not_audio|short|long)$/);
  });

  test('is heard and digested, or not', async () => {
    const counts = await tried('heard', samples, 1_000, (input) => {
      const analyser = new Analyser(1);
      const digest = new SampleDigest();
      for (let at = 0; at < input.length; at += 31) {
        analyser.push(input.subarray(at, at + 31));
        digest.push(input.subarray(at, at + 31));
      }
      analyser.end();
      digest.end();
    });
    expect(Object.keys(counts)).toEqual(['value']);
  });
});

test("an agent's event is read, or set aside for a reason, whatever came", async () => {
  const samples = [Buffer.from(json(cloudEvent({ n: 1 }))), kinesisRecord({ n: 2 })];
  const counts = await tried('event', samples, 2_000, (input) => {
    const parsed = parseEvent(input, { accounts: [account], source: 'webhook', receivedAt: new Date(0) });
    if ('event' in parsed) {
      expect(parsed.event.id.length).toBeGreaterThan(0);
      expect(JSON.parse(parsed.event.data)).toBeInstanceOf(Object);
      expect(parsed.event.data).not.toMatch(/\0/);
    } else expect(parsed.aside.raw ?? '').not.toMatch(/\0/);
  });
  expect(Object.keys(counts)).toEqual(['value']);
});

describe('a sealed message', () => {
  const keys = aesKeys('k1');
  const plaintext = Buffer.alloc(150, 'plain');
  let samples: Buffer[];
  beforeAll(async () => {
    const other = await sealSmall(keys, Buffer.alloc(300, 'other'), 64);
    samples = [await sealSmall(keys, plaintext, 64), other, await sealSmall(keys, Buffer.alloc(0), 64)];
  });
  const known = (opened: Buffer) =>
    expect([0, 150, 300].map((size) => Buffer.alloc(size, size === 150 ? 'plain' : 'other'))).toContainEqual(
      opened,
    );

  test('opens to what was sealed, or to an error of its own, as a stream', async () => {
    const counts = await tried('stream', samples, 400, async (input) => {
      const opener = openStream(keys, context);
      const [opened] = await Promise.all([collect(opener), pipeline(inChunks(input, 61, 7), opener)]);
      known(opened);
    });
    both(counts, /^envelope_/);
  });

  test('and by ranges, whatever size the store states', async () => {
    let turn = 0;
    const counts = await tried('ranged', samples, 400, async (input) => {
      turn += 1;
      const reader = memoryReader(input);
      const stated = turn % 3 === 0 ? input.length + ((turn % 50) - 25) : input.length;
      const read = async (start: number, end: number) => ({
        ...(await reader.read(start, end)),
        totalBytes: stated,
      });
      const opened = await openEnvelope(keys, { read }, context);
      known(
        opened.plaintextBytes === 0
          ? Buffer.alloc(0)
          : await collect(opened.read(0, opened.plaintextBytes - 1)),
      );
    });
    both(counts, /^envelope_/);
  });
});

describe('a key file', () => {
  const pem = (type: 'rsa' | 'ed25519'): string => {
    const { privateKey } =
      type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2_048 }) : generateKeyPairSync('ed25519');
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  };
  const rsa = pem('rsa');
  const lines = `new:${Buffer.alloc(32, 1).toString('base64')}\nold:${Buffer.alloc(32, 2).toString('base64')}\n`;

  test('of recordings', async () => {
    const counts = await tried('keys', text(lines, rsa, `# key id: one\n${rsa}`), 300, (input) =>
      parseKeyFile(input.toString()),
    );
    both(counts, /^key_/);
  });

  test('of signatures', async () => {
    const counts = await tried('signing', text(newSigningKey('one'), newSigningKey(), rsa), 300, (input) =>
      readSigningKeys(input.toString(), 'the file'),
    );
    both(counts, /^(signing_)?key/);
  });

  test('of Twilio’s recordings', async () => {
    const named = `# key id: ${hex('CR', 'a')}\n${rsa}`;
    const counts = await tried('twilio', text(named, rsa), 300, (input) => readTwilioKeys(input.toString()));
    expect(Object.keys(counts).filter((code) => code !== 'value' && !/key/.test(code))).toEqual([]);
  });
});

test('a policy file', async () => {
  const policy = `version: 1
keep:
  default: 400d
  rules:
    - {queue: [Sales, "Aftersales"], days: 30}
holds:
  - {id: case-1, callers: ["+442079460000"], from: 2026-01-01, until: 2026-02-28}
`;
  const plain =
    'version: 1\nkeep: {default: forever}\nholds: [{id: a, recordings: [RE00000000000000000000000000000001]}]\n';
  const counts = await tried('policy', text(plain, policy, 'version: 1\n'), 400, (input) =>
    readPolicy(input.toString()),
  );
  both(counts, /^policy_invalid$/);
});

test('a Range header', async () => {
  const samples = text(
    'bytes=0-',
    'bytes=5-9',
    'bytes=-3',
    'bytes=0-1,4-5',
    'BYTES = 1-99999999999999999999',
  );
  const counts = await tried('range', samples, 3_000, (input) => {
    for (const size of [0, 1, 1_000, 2 ** 40]) {
      const range = parseRange(input.toString('latin1'), size);
      if (typeof range === 'object')
        expect(range.start >= 0 && range.start <= range.end && range.end < size).toBe(true);
    }
  });
  expect(Object.keys(counts)).toEqual(['value']);
});

describe('what Functions and callbacks say', () => {
  const form = {
    AccountSid: hex('AC', 'a'),
    RecordingSid: hex('RE', 'b'),
    RecordingStatus: 'completed',
    CallSid: hex('CA', 'c'),
    taskSid: hex('WT', 'd'),
  };

  test('a callback’s form', async () => {
    const samples = text(
      new URLSearchParams(form).toString(),
      `RecordingSid=${hex('RE', 'b')}&ErrorCode=16101`,
    );
    const counts = await tried('form', samples, 1_500, (input) =>
      parseRecordingCallback(Object.fromEntries(new URLSearchParams(input.toString('latin1')))),
    );
    both(counts, /^callback_invalid$/);
  });

  test('a callback handed on', async () => {
    const said = { accountSid: form.AccountSid, recordingSid: form.RecordingSid, status: 'completed' };
    const counts = await tried(
      'callback',
      text(json(said), json({ ...said, hints: { taskSid: form.taskSid } })),
      1_500,
      (input) => parseIngestRequest(jsonFields(input.toString())),
    );
    both(counts, /^callback_invalid$/);
  });

  test('a report', async () => {
    const object = {
      key: 'recordings/a/b',
      mode: 'envelope',
      etag: '"e"',
      bytes: 9,
      plaintextBytes: 5,
      plaintextSha256: 'a'.repeat(64),
      keyId: 'k1',
    };
    const samples = text(
      json({ outcome: 'sealed', lease: 'l', object, channels: 2, tookMs: 5 }),
      json({ outcome: 'failed', lease: 'l', code: 'media_short', retryable: true }),
      json({ outcome: 'forwarded' }),
    );
    both(
      await tried('report', samples, 1_500, (input) => parseCopyReport(jsonFields(input.toString()))),
      /^copy_report_invalid$/,
    );
  });

  test('what a browser reports, and Twilio’s word on encryption', async () => {
    const reports = text(
      json({ kind: 'paused', at: '2026-01-01T00:00:00Z', taskSid: form.taskSid, callSid: form.CallSid }),
      json({ kind: 'recording-missing', taskSid: form.taskSid }),
      json({ public_key_sid: hex('CR', 'a'), encrypted_cek: 'AAAA', iv: 'AAAA' }),
    );
    const counts = await tried('reports', reports, 1_500, (input) => {
      let value: unknown = input.toString('latin1');
      try {
        value = JSON.parse(value as string);
      } catch {
        // As text, then.
      }
      readEncryption(value);
      parseReport(value);
    });
    expect(
      Object.keys(counts).filter(
        (code) => !/^(value|report_invalid|twilio_encryption_unreadable)$/.test(code),
      ),
    ).toEqual([]);
  });

  test('its signature', async () => {
    const now = 1_800_000_000_000;
    const header = signRequest('secret', 'POST', '/ingest', '{}', now);
    const holds: string[] = [];
    const counts = await tried('signature', text(header, 't=1,v1='), 2_000, (input) => {
      const given = input.toString('latin1');
      if (verifyRequest(['other', 'secret'], given, 'POST', '/ingest', '{}', now)) holds.push(given);
    });
    expect(Object.keys(counts)).toEqual(['value']);
    expect([...new Set(holds)]).toEqual([header]);
  });
});

describe('what is sealed beside a recording', () => {
  const sidecar = json({
    version: 1,
    recordingSid: hex('RE', 'b'),
    accountSid: hex('AC', 'a'),
    channels: 2,
    startedAt: '2026-01-01T00:00:00Z',
    source: 'callback',
    object: {
      key: 'recordings/a/b',
      mode: 'envelope',
      etag: '"e"',
      bytes: 9,
      plaintextBytes: 5,
      keyId: 'k1',
    },
    proof: { at: '2026-01-01T00:00:00Z', host: 'h', by: 'copy', how: 'sha256' },
  });

  test('its text', async () => {
    const counts = await tried('sidecar', text(sidecar), 1_500, (input) => readSidecar(input.toString()));
    both(counts, /^sidecar_invalid$/);
  });

  test('its signature', async () => {
    const signing = createSigning(readSigningKeys(newSigningKey(), 'the file'));
    const signed = await signing.sign('sidecar+jws', sidecar);
    const counts = await tried('jws', text(signed), 500, async (input) => {
      const { payload } = await signing.verify('sidecar+jws', input.toString('latin1'));
      expect(payload).toBe(sidecar);
    });
    both(counts, /^signature_/);
  });
});

test('a token in Authorization', async () => {
  const basic = `Basic ${Buffer.from('token:abcdefghijklmnopqrstuvwxyz').toString('base64')}`;
  const counts = await tried('token', text(basic, 'Bearer abc', 'Basic Og=='), 1_500, (input) =>
    flexTokenOf(input.toString('latin1')),
  );
  both(counts, /^token_(missing|malformed)$/);
});
