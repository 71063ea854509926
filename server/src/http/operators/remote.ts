import { CustodyError, errorOf } from '@flex-custody/core';
import { signRequest } from '@flex-custody/vault';
import type { Alarm } from '../../alarms/alarms.ts';
import type { KeptCertificate } from '../../catalog/certificates.ts';
import type { Listing } from '../../catalog/recording-row.ts';
import { type Behind, pageUnknownCode, pageUnknownText } from '../../db/pages.ts';
import { segmentMessages } from '../../recorder/completeness/completeness.ts';
import { signatureHeader } from '../plugins/function-signature.ts';
import { type OperatorApi, type Page, unknown } from './operator-api.ts';

const limitMs = 10_000;

/** Messages for a host's codes, since a host sends only codes. */
const said = {
  ...unknown,
  [pageUnknownCode]: () => pageUnknownText,
  policy_invalid: () => "the host's release cannot read the policy: flex-custody policy check",
  policy_changed: () => 'another policy was applied meanwhile: run it again',
  secret_invalid: () =>
    'the host refuses the name or the value, or cannot open what this command has sealed: run the command of its release, with its environment',
  data_source_changed: () =>
    'the data source was changed meanwhile: read it again, and repeat the change on the version that is current then',
  data_source_read_only: () => 'CUSTODY_DATA_SOURCE_FILE rules: change that file on the host',
  segment_unknown: () => segmentMessages.segment_unknown,
  segment_settled: () => segmentMessages.segment_settled,
  reason_unknown: () => segmentMessages.reason_unknown,
  connector_off: () => 'the host has no CUSTODY_BREVO_FILE, or its file says enabled: false',
  policy_weaker: () => 'it holds or keeps less than the policy in force: add --yes if that is intended',
} as const;

/**
 * The operator API of a running host, over its listener for operators.
 * @param url of that listener, without a slash at its end
 * @throws CustodyError from each call: what the host answered, `host_refused`, or `host_unreachable`
 */
export function remoteOperatorApi(url: string, secret: string): OperatorApi {
  const ask = async <T>(method: 'GET' | 'POST', path: string, body = ''): Promise<T> => {
    const headers = {
      [signatureHeader]: signRequest(secret, method, path, body, Date.now()),
      ...(body && { 'content-type': 'application/json' }),
    };
    const signal = AbortSignal.timeout(limitMs);
    const reply = await fetch(url + path, { method, headers, signal, ...(body && { body }) }).catch(
      (cause: unknown) => {
        throw new CustodyError('host_unreachable', `no host answers at ${url}`, { cause });
      },
    );
    const answer = parse(await reply.text());
    if (reply.ok && answer !== undefined) return answer as T;
    if (reply.status === 401) {
      throw new CustodyError(
        'host_refused',
        `the host at ${url} has another CUSTODY_MEDIA_SECRET: run this with its environment`,
      );
    }
    const { error: code } = (answer ?? {}) as { error?: unknown };
    const [, subject = path] = /^\/\w+\/([\w-]+)/.exec(path) ?? [];
    throw errorOf(
      typeof code === 'string' ? code : 'host_refused',
      typeof code === 'string' && code in said
        ? said[code as keyof typeof said](subject)
        : `the host at ${url} answers ${reply.status} about ${subject}`,
      { status: reply.status },
    );
  };
  const askBehind = (path: string): Promise<Behind | undefined> =>
    ask<Behind>('GET', path).catch((error: unknown) => {
      if (error instanceof CustodyError && error.code !== pageUnknownCode && isOfEarlier.has(error.status))
        return undefined;
      throw error;
    });
  return {
    list: (of) => ask('GET', `/recordings?${listingQuery(of)}`),
    listBehind: (of) => askBehind(`/recordings/behind?${listingQuery(of)}`),
    show: (sid) => ask('GET', `/recordings/${sid}`),
    retry: (sid) => ask('POST', `/recordings/${sid}/retry`),
    retryAll: (of = {}) => {
      const query = new URLSearchParams({ ...of }).toString();
      return ask('POST', `/recordings/retry${query && `?${query}`}`);
    },
    revokeLink: (sid) => ask('POST', `/recordings/${sid}/revoke-link`),
    begin: (name, options, { anew } = {}) =>
      ask('POST', `/runs/${name}${anew ? '?anew=true' : ''}`, JSON.stringify(options)),
    look: (name) => ask('GET', `/runs/${name}`),
    certificates: async (page) =>
      pageOf(await ask<KeptCertificate[]>('GET', `/certificates${pageQuery(page)}`), page).map(dated),
    certificatesBehind: (after) => askBehind(`/certificates/behind?after=${after}`),
    certificate: async (id) => dated(await ask('GET', `/certificates/${id}`)),
    keys: () => ask('GET', '/keys'),
    secrets: () => ask('GET', '/secrets'),
    setSecret: async (secret) => void (await ask('POST', '/secrets', JSON.stringify(secret))),
    removeSecret: (name) => ask('POST', '/secrets/remove', JSON.stringify({ name })),
    health: () => ask('GET', '/health'),
    events: () => ask('GET', '/events'),
    recorderStatus: () => ask('GET', '/recorder/status'),
    completeness: (day) => ask('GET', `/completeness/${day}`),
    explainSegment: (explanation) => ask('POST', '/segments/explain', JSON.stringify(explanation)),
    withdrawReason: (withdrawal) => ask('POST', '/segments/withdraw', JSON.stringify(withdrawal)),
    connectorStatus: () => ask('GET', '/connector/status'),
    failedEffects: ({ limit, after = 0 }) =>
      ask('GET', `/connector/failed?limit=${limit}${after > 0 ? `&after=${after}` : ''}`),
    retryEffects: (ids) => ask('POST', '/connector/retry', JSON.stringify({ ids })),
    agentDays: ({ from, to }) => ask('GET', `/connector/agents?from=${from}&to=${to}`),
    explainTask: (of) => ask('POST', '/connector/explain', JSON.stringify(of)),
    policy: () => ask('GET', '/policy'),
    policies: () => ask('GET', '/policies'),
    dataSource: () => ask('GET', '/data-source'),
    dataSourceHistory: () => ask('GET', '/data-source/history'),
    changeDataSource: (change) => ask('POST', '/data-source', JSON.stringify({ dryRun: false, ...change })),
    comparePolicy: (text, after) => ask('POST', '/policy/compare', JSON.stringify({ text, after })),
    applyPolicy: (application) => ask('POST', '/policy/apply', JSON.stringify(application)),
    alarms: async (page) => pageOf(await ask<Alarm[]>('GET', `/alarms${pageQuery(page)}`), page),
    alarmsBehind: (after) => askBehind(`/alarms/behind?after=${after}`),
    clearAlarm: (id) => ask('POST', `/alarms/${id}/clear`),
  };
}

/** A host without this route takes `behind` for an id, or has no such path. */
const isOfEarlier: ReadonlySet<number> = new Set([400, 404]);

function listingQuery({ state, linkState, failure, limit, after }: Partial<Listing>): URLSearchParams {
  const query = new URLSearchParams();
  if (limit !== undefined) query.set('limit', String(limit));
  if (state) query.set('state', state);
  if (linkState) query.set('link', linkState);
  if (failure) query.set('reason', failure);
  if (after) query.set('after', after);
  return query;
}

function pageQuery(page: Page<string | number> | undefined): string {
  if (page === undefined) return '';
  const { limit, after } = page;
  return `?limit=${limit}${after === undefined ? '' : `&after=${after}`}`;
}

/** Takes the page out of a host's answer: a host of an earlier release always sends its whole list. */
function pageOf<T extends { id: string | number }>(rows: readonly T[], page: Page<T['id']> | undefined): T[] {
  if (page === undefined) return [...rows];
  // A host that knows pages never sends the row that `after` names.
  const from = rows.findIndex(({ id }) => id === page.after) + 1;
  return rows.slice(from, from + page.limit);
}

/** Its time is in `at`, which is a text in other answers. */
const dated = (certificate: KeptCertificate): KeptCertificate => ({
  ...certificate,
  at: new Date(certificate.at),
});

/** Undefined if the answer is not JSON: then another program listens there. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text, revive);
  } catch {
    return undefined;
  }
}

/** Parses the times of rows and alarms into Dates, as the database returns them; the header of a column of times stays text. */
function revive(name: string, value: unknown): unknown {
  return /(At|Until)$/.test(name) && typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)
    ? new Date(value)
    : value;
}
