import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Numbers that come from the database at each reading. */
export interface MetricSources {
  recordings?(): Promise<{ states: Record<string, number>; links: Record<string, number>; proven?: number }>;
  alarms?(): Promise<Record<string, number>>;
  jobs?(): Promise<readonly { name: string; state: string; count: number }[]>;
  /** Agents' events by where they came from. */
  events?(): Promise<
    readonly { source: string; shard: string; stored: number; duplicate: number; setAside: number }[]
  >;
  /** What waits for another system. */
  connector?(): Promise<{ states: Readonly<Record<string, number>>; oldestDueMs: number }>;
}

export interface Metrics {
  readonly contentType: string;
  /** The text that Prometheus reads. */
  read(): Promise<string>;
  copied(bytes: number, ms: number, by: 'function' | 'worker'): void;
  verified(bytes: number, ms: number): void;
  /** Bytes that a playback route sent. */
  played(bytes: number): void;
  tokenValidated(outcome: 'accepted' | 'refused' | 'unavailable'): void;
  /** A report of a live call, once each; `reason` is empty for kinds without one. */
  reported(kind: string, reason: string, by: 'function' | 'browser'): void;
  answered(route: string, status: number, seconds: number): void;
  /** A request with events that got 503. */
  eventsRefused(reason: string): void;
  /** A request to Brevo, by the class of its limit and by what became of it. */
  connectorAsked(of: string, outcome: string): void;
}

const copySeconds = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256];
const answerSeconds = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];

/** @param sources called at each reading */
export function createMetrics(sources: () => MetricSources): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  const registers = [register];
  const databaseUp = new Gauge({
    name: 'custody_database_up',
    help: '1 when the numbers kept in the database could be read, else 0, and they are missing here.',
    registers,
  });
  const states = new Gauge({
    name: 'custody_recordings',
    help: 'Recordings in the catalog, by state.',
    labelNames: ['state'],
    registers,
  });
  const proven = new Gauge({
    name: 'custody_recordings_proven',
    help: "Verified recordings whose copy is proven equal to Twilio's media.",
    registers,
  });
  const links = new Gauge({
    name: 'custody_recording_links',
    help: 'Recordings in the catalog, by how they are linked to their tasks.',
    labelNames: ['link_state'],
    registers,
  });
  const alarms = new Gauge({
    name: 'custody_alarms',
    help: 'Open alarms, by code.',
    labelNames: ['code'],
    registers,
  });
  const jobs = new Gauge({
    name: 'custody_jobs',
    help: 'Jobs, by name and state.',
    labelNames: ['name', 'state'],
    registers,
  });
  const events = new Gauge({
    name: 'custody_events',
    help: "Agents' events that were read so far, by source, shard and outcome: stored, duplicate or set_aside.",
    labelNames: ['source', 'shard', 'outcome'],
    registers,
  });

  const effects = new Gauge({
    name: 'custody_connector_effects',
    help: 'Events that wait for Brevo, are being sent, are uncertain, or failed, by state; 10,000 where there are more.',
    labelNames: ['state'],
    registers,
  });
  const oldest = new Gauge({
    name: 'custody_connector_oldest_seconds',
    help: 'For how long the oldest event that is due to Brevo has waited.',
    registers,
  });

  /** Old numbers would hide that the database does not answer. */
  async function askDatabase(): Promise<void> {
    for (const gauge of [states, proven, links, alarms, jobs, events, effects, oldest]) gauge.reset();
    const {
      alarms: askAlarms,
      connector: askConnector,
      events: askEvents,
      jobs: askJobs,
      recordings: askRecordings,
    } = sources();
    if (!askConnector)
      for (const name of ['custody_connector_effects', 'custody_connector_oldest_seconds'])
        register.removeSingleMetric(name);
    // A process without jobs has no metric of them.
    if (!askJobs) register.removeSingleMetric('custody_jobs');
    const answers = await Promise.allSettled([
      askRecordings?.().then((found) => {
        for (const [state, n] of Object.entries(found.states)) states.set({ state }, n);
        if (found.proven !== undefined) proven.set(found.proven);
        for (const [state, n] of Object.entries(found.links)) links.set({ link_state: state }, n);
      }),
      askAlarms?.().then((found) => {
        for (const [code, n] of Object.entries(found)) alarms.set({ code }, n);
      }),
      askJobs?.().then((found) => {
        for (const { name, state, count } of found) jobs.set({ name, state }, count);
      }),
      askConnector?.().then((found) => {
        for (const [state, n] of Object.entries(found.states)) effects.set({ state }, n);
        oldest.set(found.oldestDueMs / 1_000);
      }),
      askEvents?.().then((found) => {
        for (const { source, shard, stored, duplicate, setAside } of found) {
          events.set({ source, shard, outcome: 'stored' }, stored);
          events.set({ source, shard, outcome: 'duplicate' }, duplicate);
          events.set({ source, shard, outcome: 'set_aside' }, setAside);
        }
      }),
    ]);
    databaseUp.set(answers.every(({ status }) => status === 'fulfilled') ? 1 : 0);
  }

  const copies = new Histogram({
    name: 'custody_copy_seconds',
    help: 'How long a copy took, by who made it.',
    labelNames: ['by'],
    buckets: copySeconds,
    registers,
  });
  const copiedBytes = new Counter({
    name: 'custody_copied_bytes_total',
    help: 'Bytes of audio copied, by who copied them.',
    labelNames: ['by'],
    registers,
  });
  const verifications = new Histogram({
    name: 'custody_verify_seconds',
    help: 'How long a verification took.',
    buckets: copySeconds,
    registers,
  });
  const verifiedBytes = new Counter({
    name: 'custody_verified_bytes_total',
    help: 'Bytes of audio verified.',
    registers,
  });
  const playedBytes = new Counter({
    name: 'custody_playback_bytes_total',
    help: 'Bytes sent to listeners.',
    registers,
  });
  const validations = new Counter({
    name: 'custody_token_validations_total',
    help: 'Flex tokens asked about, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const reports = new Counter({
    name: 'custody_reports_total',
    help: 'What plugins and Functions reported of live calls, by kind, reason and sender.',
    labelNames: ['kind', 'reason', 'by'],
    registers,
  });
  const answers = new Histogram({
    name: 'custody_http_seconds',
    help: 'How long an answer took until its last byte, by route and status.',
    labelNames: ['route', 'status'],
    buckets: answerSeconds,
    registers,
  });
  const refusedEvents = new Counter({
    name: 'custody_events_refused_total',
    help: "Requests of Event Streams' webhook that were answered 503, by reason.",
    labelNames: ['reason'],
    registers,
  });

  const asked = new Counter({
    name: 'custody_connector_requests_total',
    help: 'Requests to Brevo, by the class of their limit and by outcome.',
    labelNames: ['class', 'outcome'],
    registers,
  });

  return {
    contentType: register.contentType,
    async read() {
      await askDatabase();
      return register.metrics();
    },
    copied(bytes, ms, by) {
      copies.observe({ by }, ms / 1_000);
      copiedBytes.inc({ by }, bytes);
    },
    verified(bytes, ms) {
      verifications.observe(ms / 1_000);
      verifiedBytes.inc(bytes);
    },
    played: (bytes) => playedBytes.inc(bytes),
    tokenValidated: (outcome) => validations.inc({ outcome }),
    reported: (kind, reason, by) => reports.inc({ kind, reason, by }),
    answered: (route, status, seconds) => answers.observe({ route, status: String(status) }, seconds),
    connectorAsked: (of, outcome) => asked.inc({ class: of, outcome }),
    eventsRefused: (reason) => refusedEvents.inc({ reason }),
  };
}
