import { CustodyError, type LinkState, type RecordingSid, type RecordingState } from '@flex-custody/core';
import type { Keys } from '@flex-custody/vault';
import type { Alarm, Alarms } from '../../alarms/alarms.ts';
import type { Certificates, KeptCertificate } from '../../catalog/certificates.ts';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { OperatingCatalog } from '../../catalog/operating-catalog.ts';
import type { Listing, RecordingRow } from '../../catalog/recording-row.ts';
import type { ConnectorApi } from '../../connectors/operating.ts';
import type { Behind } from '../../db/pages.ts';
import type { StatusTable } from '../../events/status-part.ts';
import { ingestJobs } from '../../ingest/jobs.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Completeness } from '../../recorder/completeness/completeness.ts';
import type { DataSources } from '../../recorder/data-source/data-source.ts';
import type { CheckedWork } from '../../runs/options.ts';
import type { Begin, Json, Runs, RunView, Work } from '../../runs/runs.ts';
import type { Sealed, SealedSecret, SealedSecrets } from '../../secrets/sealed-secrets.ts';
import type { SecretKeys } from '../../secrets/secret-keys.ts';
import { checkSecret } from '../../secrets/secrets.ts';
import type { SigningIdentity } from '../../signing/identity.ts';
import type { DataSourceApi } from './data-source-routes.ts';
import type { Health } from './health.ts';
import { createPolicyApi, type PolicyApi, type PolicyApiDeps } from './policies.ts';

export interface KeyUse {
  /** Id of the key that encrypts; absent if S3 does. */
  seals?: string;
  /** Id of the key that encrypts stored secrets; absent if there is none, and from a host of an earlier release. */
  sealsSecrets?: string;
  /** `secrets` is absent from a host of an earlier release. */
  keys: { keyId: string; atHand: boolean; recordings: number; sidecars: number; secrets?: number }[];
  /** Sidecars by the key that signed them; without `keyId` those that are not signed. */
  signers: { keyId?: string; signs: boolean; atHand: boolean; sidecars: number }[];
}

export interface Retried {
  /** Jobs that were sent; none if there was nothing to start over. */
  begun: readonly ('copy' | 'verify' | 'link')[];
  state: RecordingState;
  linkState: LinkState;
}

/** A part of a list: `limit` rows after the one that `after` names. */
export interface Page<Id> {
  limit: number;
  after?: Id;
}

/** The end of a page of recordings. */
export type Behinds = Omit<Listing, 'limit'> & { after: RecordingSid };

/** What operators do with the catalog, at the database or through the host that has it open. */
export interface OperatorApi extends PolicyApi, DataSourceApi, Completeness, ConnectorApi {
  list(listing: Listing): Promise<RecordingRow[]>;
  /** How many rows follow a page of such a list; undefined if a host of an earlier release does not count them. Other lists likewise. */
  listBehind(of: Behinds): Promise<Behind | undefined>;
  /** @throws CustodyError `recording_unknown` (404), as the following methods do */
  show(sid: RecordingSid): Promise<RecordingRow>;
  /** Starts failed work over: copy, verification, and the link unless the recording is linked. */
  retry(sid: RecordingSid): Promise<Retried>;
  /**
   * Starts dead letters over, of one reason or all, some hundred at a time. `next`: continue after this one, so that each
   * is started over once, even if it fails again at once.
   */
  retryAll(of?: { reason?: string; after?: RecordingSid }): Promise<{ retried: number; next?: RecordingSid }>;
  /** Revokes the links for the older Player. @returns the new generation; links of earlier ones no longer play */
  revokeLink(sid: RecordingSid): Promise<{ generation: number }>;
  /**
   * Begins long work, such as `reconcile`, or continues a run that stopped some hours ago. Does not wait for its end.
   * @throws CustodyError `run_unknown` (404), `run_busy` (409)
   */
  begin(name: string, options: Json, how?: Begin): Promise<void>;
  /** Progress of the last run. @throws CustodyError `run_unknown` (404) if there was none */
  look(name: string): Promise<RunView>;
  /** Recordings, sidecars and secrets per key, and whether this host has the key. */
  keys(): Promise<KeyUse>;
  /** The stored secrets, sealed: the caller opens them with keys of its own. */
  secrets(): Promise<SealedSecret[]>;
  /**
   * Stores a secret that the caller has sealed, so that no value crosses the wire.
   * @throws CustodyError `secret_invalid` (400), also if the host's keys do not open it
   */
  setSecret(secret: Sealed): Promise<void>;
  /** `removed`: whether there was one. */
  removeSecret(name: string): Promise<{ removed: boolean }>;
  /**
   * Newest first, 1000 by default.
   * @throws CustodyError `page_unknown` (404) if the row that `after` names was removed, as the other lists do
   */
  certificates(page?: Page<string>): Promise<KeptCertificate[]>;
  certificatesBehind(after: string): Promise<Behind | undefined>;
  /** @throws CustodyError `certificate_unknown` (404) */
  certificate(id: string): Promise<KeptCertificate>;
  /** State of database and work, for the doctor. */
  health(): Promise<Health>;
  /** The tables of `recorder status`. */
  recorderStatus(): Promise<StatusTable[]>;
  /** Open alarms, newest first, 100 by default. */
  alarms(page?: Page<number>): Promise<Alarm[]>;
  alarmsBehind(after: number): Promise<Behind | undefined>;
  /** @throws CustodyError `alarm_unknown` (404) */
  clearAlarm(id: number): Promise<void>;
  /** What of agents' events has arrived, and what is set aside; no content. */
  events(): Promise<StatusTable[]>;
}

/** The messages of these codes, the same on both sides of the wire. */
export const unknown = {
  recording_unknown: (sid: string) => `${sid} is not in the catalog`,
  alarm_unknown: (id: string) => `no alarm ${id} is open`,
  run_unknown: (name: string) => `${name} has never run here`,
  certificate_unknown: (id: string) => `there is no certificate ${id}`,
} as const;

function notFound(code: keyof typeof unknown, subject: string): CustodyError {
  return new CustodyError(code, unknown[code](subject));
}

export interface OperatorApiDeps extends PolicyApiDeps {
  catalog: LookupCatalog & OperatingCatalog;
  alarms: Pick<Alarms, 'list' | 'countBehind' | 'clear'>;
  queue: Pick<Queue, 'send'>;
  certificates: Certificates;
  /** Undefined if S3 encrypts. */
  keys?: Pick<Keys, 'keyId' | 'keyIds'> | undefined;
  secretKeys: SecretKeys;
  sealedSecrets: SealedSecrets;
  /** Undefined if its keys cannot be read. */
  signing?: Pick<SigningIdentity, 'keyId' | 'keyIds' | 'lists'> | undefined;
  health(): Promise<Health>;
  events(): Promise<StatusTable[]>;
  recorderStatus(): Promise<StatusTable[]>;
  completeness: Completeness;
  connector: ConnectorApi;
  runs: Runs;
  dataSource: Pick<DataSources, 'view' | 'history' | 'change'>;
  /** Long work by its name. */
  works: Readonly<Record<string, Work & Partial<Pick<CheckedWork, 'check'>>>>;
  /** Aborts runs when the process ends; a later process can continue them. */
  signal?: AbortSignal;
}

/** What the caller has sealed with other keys is the caller's fault. */
function refuseUnreadable(cause: unknown): never {
  if (!(cause instanceof CustodyError && cause.code === 'secret_unreadable')) throw cause;
  throw new CustodyError('secret_invalid', `the host cannot open what it was sent: ${cause.message}`, {
    cause,
  });
}

const retriesAtOnce = 200;
const mostVersions = 100;
const jobOf: Partial<Record<RecordingState, 'copy' | 'verify'>> = { registered: 'copy', sealed: 'verify' };

export function createOperatorApi({
  catalog,
  certificates,
  alarms,
  queue,
  keys,
  secretKeys,
  sealedSecrets,
  signing,
  health,
  events,
  recorderStatus,
  completeness,
  connector,
  runs,
  works,
  signal,
  policies,
  callerDigest,
  dataSource,
}: OperatorApiDeps): OperatorApi {
  const show = async (sid: RecordingSid): Promise<RecordingRow> => {
    const row = await catalog.find(sid);
    if (!row) throw notFound('recording_unknown', sid);
    return row;
  };
  const api: OperatorApi = {
    ...createPolicyApi({ catalog, policies, callerDigest }),
    list: (listing) => catalog.list(listing),
    listBehind: (of) => catalog.countBehind(of),
    show,
    async retry(sid) {
      const before = await show(sid);
      if (before.state === 'failed') await catalog.replayed(sid);
      if (before.linkState === 'unlinked' || before.linkState === 'refused') await catalog.relink(sid);
      const { state, linkState } = await show(sid);
      const begun: ('copy' | 'verify' | 'link')[] = [];
      const job = jobOf[state];
      if (job) begun.push(job);
      if (linkState === 'pending') begun.push('link');
      for (const name of begun) await queue.send(ingestJobs[name], { recordingSid: sid }, { once: 'retry' });
      return { begun, state, linkState };
    },
    async retryAll({ reason, after } = {}) {
      const page = await catalog.list({
        state: 'failed',
        limit: retriesAtOnce,
        ...(reason !== undefined && { failure: reason }),
        ...(after !== undefined && { after }),
      });
      for (const { recordingSid } of page) await api.retry(recordingSid);
      const last = page.length === retriesAtOnce ? page.at(-1) : undefined;
      return { retried: page.length, ...(last && { next: last.recordingSid }) };
    },
    async revokeLink(sid) {
      await show(sid);
      return { generation: (await catalog.bumpSegmentGeneration(sid)) ?? 0 };
    },
    async begin(name, options, how) {
      const work = Object.hasOwn(works, name) ? works[name] : undefined;
      if (!work) throw notFound('run_unknown', name);
      work.check?.(options);
      const { ended } = await runs.begin(name, options, work, signal, how);
      // The run keeps its own end, which `look` returns; this request does not wait for it.
      ended.catch(() => undefined);
    },
    async look(name) {
      const view = await runs.look(name);
      if (!view) throw notFound('run_unknown', name);
      return view;
    },
    async keys() {
      const used = await catalog.keyUse();
      const secrets = await sealedSecrets.all();
      const atHand = [...(keys?.keyIds ?? []), ...secretKeys.keyIds];
      const others = new Set([...atHand, ...secrets.map(({ keyId }) => keyId)]);
      for (const { keyId } of used) others.delete(keyId);
      const all = [...used, ...[...others].map((keyId) => ({ keyId, recordings: 0, sidecars: 0 }))];
      const signed = await catalog.signers();
      const unused = (signing?.keyIds ?? []).filter((id) => !signed.some(({ keyId }) => keyId === id));
      const signers = [...signed, ...unused.map((keyId) => ({ keyId, sidecars: 0 }))];
      return {
        signers: signers.map((use) => ({
          ...use,
          signs: use.keyId !== undefined && use.keyId === signing?.keyId,
          atHand: use.keyId !== undefined && signing?.lists(use.keyId) === true,
        })),
        ...(keys && { seals: keys.keyId }),
        ...(secretKeys.keyId !== undefined && { sealsSecrets: secretKeys.keyId }),
        keys: all.map((use) => ({
          ...use,
          atHand: atHand.includes(use.keyId),
          secrets: secrets.filter(({ keyId }) => keyId === use.keyId).length,
        })),
      };
    },
    secrets: () => sealedSecrets.all(),
    async setSecret(secret) {
      checkSecret(secret.name, await secretKeys.open(secret).catch(refuseUnreadable));
      await sealedSecrets.put(secret, 'cli');
    },
    removeSecret: async (name) => ({ removed: await sealedSecrets.remove(name, 'cli') }),
    certificates: ({ limit, after } = { limit: 1_000 }) => certificates.list(limit, after),
    certificatesBehind: (after) => certificates.countBehind(after),
    async certificate(id) {
      const found = await certificates.find(id);
      if (!found) throw notFound('certificate_unknown', id);
      return found;
    },
    health,
    dataSource: () => dataSource.view(),
    dataSourceHistory: () => dataSource.history(mostVersions),
    changeDataSource: (change) => dataSource.change(change),
    events,
    recorderStatus,
    ...completeness,
    ...connector,
    alarms: (page) => alarms.list({ ...page, open: true }),
    alarmsBehind: (after) => alarms.countBehind(after),
    async clearAlarm(id) {
      if (!(await alarms.clear(id))) throw notFound('alarm_unknown', String(id));
    },
  };
  return api;
}
