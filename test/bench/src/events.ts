import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EventStream,
  openEventStream,
  progressOf,
  storyEvents,
  streamName,
  streamRegion,
} from '../../support/event-stream.ts';
import { type Figure, median, pairedRatio } from './figures.ts';
import { cpuSeconds, peakRssMb, startSubject } from './processes.ts';

const peer = 'GetRecords alone';
const least = 2_000;

interface Followed {
  /** Until every event is in its session. */
  perSecond: number;
  /** Until every event is stored. */
  storedPerSecond: number;
  cpuMs: number;
  peakMb: number;
}

/** Events of a stream of two shards into sessions, by one process of role recorder, against a process that only reads them. */
export async function benchEvents(
  databaseUrl: string,
  dataDir: string,
  { events, rounds }: { events: number; rounds: number },
  log: (line: string) => void,
): Promise<Figure[]> {
  const ours: Followed[] = [];
  const theirs: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const stream = await openEventStream({ databaseUrl, folder: join(dataDir, `events-${round}`) });
    try {
      const records = storyEvents(events).map(({ record }) => record);
      await stream.put(records);
      const turn = [
        async () => void ours.push(await follow(stream, records.length)),
        async () => void theirs.push(await readAlone(stream, records.length)),
      ];
      for (const work of round % 2 === 1 ? turn : turn.reverse()) await work();
    } finally {
      await stream.close();
    }
    const last = ours.at(-1);
    log(
      `events: round ${round} of ${rounds}: ${last?.perSecond.toFixed(0)}/s into sessions, ${last?.storedPerSecond.toFixed(0)}/s stored, ${last?.cpuMs.toFixed(2)} ms of CPU each; ${peer} ${theirs.at(-1)?.toFixed(0)}/s`,
    );
  }
  const name = `${events} agents' events of two shards`;
  const mine = ours.map(({ perSecond }) => perSecond);
  const reported = (what: string, unit: string, of: (followed: Followed) => number): Figure => ({
    ...{ name: `${name}, ${what}`, unit, ours: median(ours.map(of)) },
    ...{ peers: {}, ratios: {}, floor: '', pass: true },
  });
  return [
    {
      ...{ name: `${name}, into sessions`, unit: 'events/s', ours: median(mine) },
      ...{ peers: { [peer]: median(theirs) }, ratios: { [peer]: pairedRatio(mine, theirs) } },
      ...{ floor: `≥ ${least} events/s`, pass: median(mine) >= least },
    },
    reported('stored', 'events/s', ({ storedPerSecond }) => storedPerSecond),
    reported('into sessions', 'ms of CPU an event', ({ cpuMs }) => cpuMs),
    reported('into sessions', 'MB peak RSS', ({ peakMb }) => peakMb),
  ];
}

async function follow({ db, startRecorder }: EventStream, events: number): Promise<Followed> {
  const profile = process.env['BENCH_PROFILE'];
  const recorder = await startRecorder(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []);
  const cpuBefore = cpuSeconds(recorder.pid);
  try {
    for (let now = await progressOf(db); !(now.stored >= events && now.followed); now = await progressOf(db))
      await sleep(100);
    const [times] = await db.query<{ all: number; stored: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - began)::float8 AS all,
         extract(epoch FROM (SELECT max(last_received_at) FROM event_counters) - began)::float8 AS stored
       FROM (SELECT min(taken_at) AS began FROM shard_leases) AS leases`,
    );
    if (!times) throw new Error('no shard was read');
    return {
      perSecond: events / times.all,
      storedPerSecond: events / times.stored,
      cpuMs: ((cpuSeconds(recorder.pid) - cpuBefore) * 1_000) / events,
      peakMb: peakRssMb(recorder.pid),
    };
  } finally {
    await recorder.stop();
  }
}

async function readAlone({ endpoint }: EventStream, events: number): Promise<number> {
  const { said, stop } = await startSubject<{ records: number; perSecond: number }>(
    'dist/bench/events-reader.js',
    { BENCH_STREAM: streamName, BENCH_REGION: streamRegion, BENCH_ENDPOINT: endpoint },
  );
  await stop();
  if (said.records !== events) throw new Error(`${peer} found ${said.records} records of ${events}`);
  return said.perSecond;
}
