import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { type Figure, interleaved, median, pairedRatio } from './figures.ts';
import { type Environment, startSubject } from './processes.ts';

interface Copied {
  ms: number;
  bytes: number;
  rssMb: number;
  cpuMs: number;
}

const subjects = {
  ours: { script: 'dist/bench/copy-ours.js' },
  'aws-sdk 2 + s3-upload-stream': { script: 'test/bench/peers/copy-aws-sdk-2.mjs' },
  'the same, 5 parts of 20 MB at once': {
    script: 'test/bench/peers/copy-aws-sdk-2.mjs',
    env: { BENCH_WIDE: '1' },
  },
  'SDK v3 lib-storage': { script: 'test/bench/peers/copy-aws-sdk-3.mjs' },
} as const;
type Subject = keyof typeof subjects;
const names = Object.keys(subjects) as Subject[];
const peers = names.filter((name) => name !== 'ours');
const each = <T>(of: readonly Subject[], value: (subject: Subject) => T) =>
  Object.fromEntries(of.map((subject) => [subject, value(subject)])) as Record<Subject, T>;

const mega = 1_000_000;
const sizes = { small: 20 * mega, hour: 115 * mega, shift: 460 * mega };

/** One whole process: its copy's time (imports not counted), its own peak memory. */
export function runCopy(script: string, env: Environment): Promise<Copied> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], { env: { PATH: process.env['PATH'] ?? '', ...env } });
    let said = '';
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString();
    });
    child.once('close', (code) => {
      const line = said.split('\n').find((text) => text.startsWith('{'));
      if (code === 0 && line) resolve(JSON.parse(line) as Copied);
      else reject(new Error(`${script} ended with ${code}: ${words.slice(-2000)}`));
    });
  });
}

/** Copy and seal, against the packages of the old samples and against a bare copy of today's SDK. */
export async function benchCopy(
  env: Environment,
  dataDir: string,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const source = await startSubject<{ port: number; caFile: string }>('dist/bench/source.js', {
    BENCH_DATA_DIR: dataDir,
  });
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const shared: Environment = {
    ...env,
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: '0'.repeat(32),
    NODE_EXTRA_CA_CERTS: source.said.caFile,
    NODE_OPTIONS: `--require ${process.cwd()}/test/bench/direct.cjs`,
    BENCH_SOURCE_PORT: String(source.said.port),
    CUSTODY_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    CUSTODY_KEY_ID: 'bench',
  };
  const peaks = each(names, (): Record<number, number[]> => ({}));
  const copy = (subject: Subject, bytes: number) => async () => {
    const { script, ...more } = subjects[subject];
    const copied = await runCopy(script, {
      ...shared,
      ...('env' in more ? more.env : {}),
      BENCH_RECORDING: `RE${'0'.repeat(20)}${String(bytes).padStart(12, '0')}`,
      BENCH_KEY: `bench/${names.indexOf(subject)}-${bytes}`,
    });
    if (copied.bytes !== bytes) throw new Error(`${subject} copied ${copied.bytes} of ${bytes} bytes`);
    const list = peaks[subject][bytes] ?? [];
    list.push(copied.rssMb);
    if (process.env['BENCH_VERBOSE']) log(`${subject} ${bytes} ${JSON.stringify(copied)}`);
    peaks[subject][bytes] = list;
    return bytes / mega / (copied.ms / 1000);
  };
  const figures: Figure[] = [];
  try {
    await copy('ours', sizes.small)();
    for (const [name, bytes] of [
      ['copy and seal 115 MB', sizes.hour],
      ['copy and seal 460 MB', sizes.shift],
    ] as const) {
      const speeds = await interleaved(
        each(names, (subject) => copy(subject, bytes)),
        rounds,
        (round) => log(`${name}: round ${round} of ${rounds}`),
      );
      const ratios = each(peers, (peer) => pairedRatio(speeds.ours, speeds[peer]));
      figures.push({
        name,
        unit: 'MB/s',
        ours: median(speeds.ours),
        peers: each(peers, (peer) => median(speeds[peer])),
        ratios,
        floor: '≥ 1.25 × aws-sdk 2 + s3-upload-stream, ≥ 0.9 × SDK v3 lib-storage',
        pass: ratios['aws-sdk 2 + s3-upload-stream'] >= 1.25 && ratios['SDK v3 lib-storage'] >= 0.9,
      });
    }
    for (let round = 1; round < rounds; round++) await copy('ours', sizes.small)();
  } finally {
    await source.stop();
  }
  return [...figures, ...memory(peaks)];
}

function memory(peaks: Record<Subject, Record<number, number[]>>): Figure[] {
  const peak = (subject: Subject, bytes: number) => median(peaks[subject][bytes] ?? []);
  const ours = peak('ours', sizes.shift);
  const growth = ours / peak('ours', sizes.small);
  return [
    {
      name: 'peak memory, copy and seal 460 MB',
      unit: 'MB RSS',
      ours,
      peers: each(peers, (name) => peak(name, sizes.shift)),
      ratios: { 'ours at 20 MB': growth },
      floor: '≤ 180 MB, ≤ 1.15 × ours at 20 MB',
      pass: ours <= 180 && growth <= 1.15,
    },
  ];
}
