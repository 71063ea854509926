import { randomBytes } from 'node:crypto';
import { makeBucket } from './engines.ts';
import { type Figure, median, pairedRatio } from './figures.ts';
import { type Source, type Taken, takeIn } from './ingest-house.ts';
import { startSubject } from './processes.ts';
import { hasRclone, type Rcloned, rcloneCopy, rclonePurge, rcloneSize, type S3Access } from './rclone.ts';

type Way = 'copies alone' | 'the whole way';
const ways: readonly Way[] = ['copies alone', 'the whole way'];
/** Without TLS, which is the harder to keep up with; and over TLS, as Twilio gives recordings and ours reads them. */
const peer = 'rclone copy :http: --transfers 4';
const overTls = 'the same over TLS';
type Peer = typeof peer | typeof overTls;

/** Many short recordings through two workers, against a bare copy of the same files into the same store. */
export async function benchIngest(
  { s3, databaseUrl }: { s3: S3Access; databaseUrl: string },
  dataDir: string,
  { recordings, rounds }: { recordings: number; rounds: number },
  log: (line: string) => void,
): Promise<Figure[]> {
  if (!hasRclone()) throw new Error('ingest is measured against rclone: install it (apt-get install rclone)');
  const ours: Record<Way, Taken[]> = { 'copies alone': [], 'the whole way': [] };
  const theirs: Record<Peer, Rcloned[]> = { [peer]: [], [overTls]: [] };
  for (let round = 1; round <= rounds; round++) {
    // A fresh world each time: what was linked once is linked faster.
    const source = await startSubject<Source>('dist/bench/ingest-source.js', {
      BENCH_RECORDINGS: String(recordings),
      BENCH_DATA_DIR: dataDir,
    });
    const inBucket = async <T>(work: (bucket: string) => Promise<T>): Promise<T> => {
      const bucket = `bench-ingest-${randomBytes(6).toString('hex')}`;
      await makeBucket(s3, bucket);
      try {
        return await work(bucket);
      } finally {
        rclonePurge(s3, bucket);
      }
    };
    const take = (way: Way) => () =>
      inBucket(async (bucket) => {
        const house = { databaseUrl, s3, bucket, source: source.said, dataDir };
        const taken = await takeIn(house, way, (done, all) => log(`ingest, ${way}: ${done} of ${all}`));
        const { count, bytes } = rcloneSize(s3, bucket);
        // Sealed objects are a little longer; sidecars lie beside them.
        if (count < recordings || bytes < recordings * source.said.bytes)
          throw new Error(`only ${count} objects of ${bytes} bytes are there`);
        ours[way].push(taken);
        log(`ingest, ${way}: ${describe(taken.perSecond, taken)}`);
      });
    const copy = (by: Peer) => () =>
      inBucket(async (bucket) => {
        const { indexUrl, plainIndexUrl, caFile } = source.said;
        const copied = await rcloneCopy(
          { indexUrl: by === peer ? plainIndexUrl : indexUrl, caFile },
          s3,
          bucket,
        );
        const { count, bytes } = rcloneSize(s3, bucket);
        if (count !== recordings || bytes !== recordings * source.said.bytes)
          throw new Error(`rclone copied ${count} files of ${bytes} bytes`);
        theirs[by].push(copied);
        const each = { ...copied, cpuSeconds: copied.cpuSeconds / recordings };
        log(`ingest, ${by}: ${describe(recordings / copied.seconds, each)}`);
      });
    const turn = [copy(peer), take('copies alone'), copy(overTls), take('the whole way')];
    try {
      for (const work of round % 2 === 1 ? turn : turn.reverse()) await work();
    } finally {
      await source.stop();
    }
    log(`ingest: round ${round} of ${rounds}`);
  }
  return figuresOf(ours, theirs, recordings);
}

const describe = (perSecond: number, used: { cpuSeconds: number; peakMb: number }) =>
  `${perSecond.toFixed(1)} recordings/s, ${(used.cpuSeconds * 1_000).toFixed(1)} ms of CPU each, peak ${used.peakMb.toFixed(0)} MB`;

function figuresOf(
  ours: Record<Way, Taken[]>,
  theirs: Record<Peer, Rcloned[]>,
  recordings: number,
): Figure[] {
  const rates = (by: Peer) => theirs[by].map(({ seconds }) => recordings / seconds);
  const ofPeers = <T>(of: (by: Peer) => T) => ({ [peer]: of(peer), [overTls]: of(overTls) });
  const floors: Record<Way, number> = { 'copies alone': 0.7, 'the whole way': 0.3 };
  const names: Record<Way, string> = {
    'copies alone': 'copy and seal alone',
    'the whole way': 'linked, sealed and verified',
  };
  return ways.flatMap((way): Figure[] => {
    const taken = ours[way];
    const mine = taken.map(({ perSecond }) => perSecond);
    const ratio = pairedRatio(mine, rates(peer));
    const name = `ingest of ${recordings} recordings of 20 s, ${names[way]}`;
    const used = (unit: string, value: number, each: (rcloned: Rcloned) => number): Figure => ({
      name,
      unit,
      ours: value,
      peers: ofPeers((by) => median(theirs[by].map(each))),
      ratios: ofPeers((by) => value / median(theirs[by].map(each))),
      floor: '',
      pass: true,
    });
    return [
      {
        name,
        unit: 'recordings/s',
        ours: median(mine),
        peers: ofPeers((by) => median(rates(by))),
        ratios: ofPeers((by) => pairedRatio(mine, rates(by))),
        floor: `≥ ${floors[way]} × rclone without TLS`,
        pass: ratio >= floors[way],
      },
      used(
        'ms of CPU a recording',
        median(taken.map(({ cpuSeconds }) => cpuSeconds * 1_000)),
        ({ cpuSeconds }) => (cpuSeconds * 1_000) / recordings,
      ),
      used('MB peak RSS of a worker', median(taken.map(({ peakMb }) => peakMb)), ({ peakMb }) => peakMb),
    ];
  });
}
