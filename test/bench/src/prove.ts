import { runCopy } from './copy.ts';
import { type Figure, interleaved, median, pairedRatio } from './figures.ts';
import { type Environment, startSubject } from './processes.ts';

const mega = 1_000_000;
const [small, hour] = [20 * mega, 115 * mega];
const peer = 'https.get and SHA-256';
const scripts = { ours: 'dist/bench/prove-ours.js', [peer]: 'test/bench/peers/read-and-hash.mjs' } as const;
type Subject = keyof typeof scripts;

/** The second look: Twilio's media read once and nothing kept, against the least that does it. */
export async function benchProve(
  dataDir: string,
  rounds: number,
  log: (line: string) => void,
): Promise<Figure[]> {
  const source = await startSubject<{ port: number; caFile: string }>('dist/bench/source.js', {
    BENCH_DATA_DIR: dataDir,
  });
  const shared: Environment = {
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: '0'.repeat(32),
    NODE_EXTRA_CA_CERTS: source.said.caFile,
    NODE_OPTIONS: `--require ${process.cwd()}/test/bench/direct.cjs`,
    BENCH_SOURCE_PORT: String(source.said.port),
  };
  const peaks: Record<Subject, number[]> = { ours: [], [peer]: [] };
  const look = async (subject: Subject, bytes: number) => {
    const recording = `RE${'0'.repeat(20)}${String(bytes).padStart(12, '0')}`;
    const seen = await runCopy(scripts[subject], { ...shared, BENCH_RECORDING: recording });
    if (seen.bytes !== bytes) throw new Error(`${subject} read ${seen.bytes} of ${bytes} bytes`);
    return seen;
  };
  try {
    const turn = (subject: Subject) => async () => {
      const { ms, rssMb } = await look(subject, hour);
      peaks[subject].push(rssMb);
      return hour / mega / (ms / 1000);
    };
    const speeds = await interleaved<Subject>({ ours: turn('ours'), [peer]: turn(peer) }, rounds, (round) =>
      log(`second look: round ${round} of ${rounds}`),
    );
    const growth = median(peaks.ours) / (await look('ours', small)).rssMb;
    return [
      {
        name: 'second look at 115 MB',
        unit: 'MB/s',
        ours: median(speeds.ours),
        peers: { [peer]: median(speeds[peer]) },
        ratios: { [peer]: pairedRatio(speeds.ours, speeds[peer]) },
        floor: '',
        pass: true,
      },
      {
        name: 'peak memory, second look at 115 MB',
        unit: 'MB RSS',
        ours: median(peaks.ours),
        peers: { [peer]: median(peaks[peer]) },
        ratios: { 'ours at 20 MB': growth },
        floor: '≤ 1.3 × ours at 20 MB',
        pass: growth <= 1.3,
      },
    ];
  } finally {
    await source.stop();
  }
}
