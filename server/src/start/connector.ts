import { CustodyError } from '@flex-custody/core';
import { allSettings } from '../config.ts';
import type { HistoryResource } from '../connectors/history/options.ts';
import type { Channel } from '../connectors/interaction.ts';
import { type ConnectorStatus, connectorStatus } from '../connectors/status.ts';
import { bindDatabase } from '../custody/bind.ts';
import { custodyFacts } from '../custody/facts.ts';
import type { Db } from '../db/db.ts';
import { migrate } from '../db/migrate.ts';
import { openDatabase } from '../db/open.ts';
import type { Log } from '../ingest/index.ts';
import { openQueue } from '../queue/boss-queue.ts';
import type { CheckedWork } from '../runs/options.ts';
import { createRuns, type Json, type RunView } from '../runs/runs.ts';
import { openConfig } from '../secrets/open-config.ts';
import { loadSigning } from '../signing/load.ts';
import { createHostDeps, createWorks, type HostDeps } from './host-deps.ts';
import { allJobs } from './jobs.ts';

export type { Channel, ConnectorStatus, HistoryResource };

export interface ConnectOptions {
  /** The settings of the host (docs/configuration.md); by default those of this process. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** By default nothing is logged. */
  log?: Log;
}

export interface SyncOptions {
  /** `full` needs `since`; by default `incremental`. */
  type?: 'incremental' | 'full';
  /** By default all. */
  resources?: readonly HistoryResource[];
  since?: Date;
  channels?: readonly Channel[];
  /** Counts what is missing, and changes nothing. */
  dryRun?: boolean;
}

export interface SyncProgress {
  counts: Readonly<Record<string, number>>;
  /** Belongs to `counts.done`. */
  total?: number;
}

/** A CloudEvent of Event Streams. */
export interface CloudEvent {
  specversion: string;
  type: string;
  id: string;
  source: string;
  time?: string;
  data: Readonly<Record<string, unknown>>;
  [more: string]: unknown;
}

/** `known`: it was stored before. `set aside`: it is broken, or of a type that the host does not read. */
export type Handled = 'stored' | 'known' | 'set aside';

export interface Connector {
  /**
   * Takes in the past; a run that was stopped within the last hours continues.
   * @throws CustodyError `request_invalid`, `run_busy` (409), or as Twilio's client and the database do
   */
  sync(
    options?: SyncOptions,
    how?: { progress?: (now: SyncProgress) => void; signal?: AbortSignal },
  ): Promise<SyncProgress>;
  status(): Promise<ConnectorStatus>;
  /** Stores an event durably; a host follows it. @throws CustodyError `database_unavailable` */
  handleEvent(event: CloudEvent): Promise<Handled>;
  close(): Promise<void>;
}

const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Opens the database and the settings of a host for code that embeds the connector. It starts no work: a host with the roles
 * `recorder` and `worker` follows events and sends. The embedded database can be opened only while no host has it.
 * @throws CustodyError `config_invalid`, `connector_off`, `data_dir_locked`, `custody_differs`
 */
export async function connect({ environment, log = quiet }: ConnectOptions = {}): Promise<Connector> {
  const { config, db: opened } = await openConfig(allSettings, { ...(environment && { environment }) });
  if (config.brevo === undefined) {
    await opened?.close();
    throw new CustodyError('connector_off', 'CUSTODY_BREVO_FILE is not set');
  }
  const db = opened ?? (await openDatabase(config.database));
  try {
    await migrate(db);
    await bindDatabase(db, custodyFacts(config));
    const queue = openQueue(db, { jobs: allJobs, retries: config.retries });
    const deps = createHostDeps(config, db, queue, log, loadSigning(config.signing));
    return connectorOf(deps, async () => {
      deps.store.close();
      deps.inventory?.store.close();
      await queue.stop(0);
      await db.close();
    });
  } catch (error) {
    await db.close();
    throw error;
  }
}

function connectorOf(deps: HostDeps, close: () => Promise<void>): Connector {
  const { db } = deps;
  return {
    sync: (options = {}, how = {}) => sync(db, createWorks(deps)['connector-sync'], options, how),
    status: () => connectorStatus(db, 'brevo'),
    async handleEvent(event) {
      const { stored, setAside } = await deps.inbox.take([event], { source: 'webhook' });
      return stored > 0 ? 'stored' : setAside > 0 ? 'set aside' : 'known';
    },
    close,
  };
}

async function sync(
  db: Db,
  work: CheckedWork | undefined,
  { type = 'incremental', since, resources, channels, dryRun }: SyncOptions,
  { progress, signal }: NonNullable<Parameters<Connector['sync']>[1]>,
): Promise<SyncProgress> {
  if (!work) throw new Error('no work of this name');
  const options: Json = {
    ...{ connector: 'brevo', type },
    ...(since && { since: since.toISOString() }),
    ...(resources && { resources }),
    ...(channels && { channels }),
    ...(dryRun && { dryRun }),
  };
  work.check(options);
  const watched: typeof work = Object.assign(
    (run: Parameters<typeof work>[0]) =>
      work({
        ...run,
        async save(state, counts, total) {
          await run.save(state, counts, total);
          progress?.({ counts: { ...counts }, ...(total !== undefined && { total }) });
        },
      }),
    { check: work.check },
  );
  return endOf(await createRuns(db).run('connector-sync', options, watched, signal));
}

const endOf = ({ counts, total }: RunView): SyncProgress => ({
  counts,
  ...(total !== undefined && { total }),
});
