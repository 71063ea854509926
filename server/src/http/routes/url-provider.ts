import {
  asRecordingSid,
  asReservationSid,
  CustodyError,
  type ErrorCode,
  errorCode,
  type RecordingSid,
  type ReservationSid,
} from '@flex-custody/core';
import type { FlexTokens, Viewer } from '@flex-custody/twilio';
import type { Store } from '@flex-custody/vault';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Audit, AuditEntry } from '../../access/audit.ts';
import { type AccessSettings, may, mayPlayEverything } from '../../access/may.ts';
import type { LookupCatalog } from '../../catalog/lookup-catalog.ts';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import { custodyOf, isStored, originOf, refuseErased, versionOf } from '../../playback/audio.ts';
import type { MediaLinks } from '../../playback/media-link.ts';
import type { RecordingReader } from '../../playback/recording-reader.ts';
import type { Reservations } from '../../recorder/acceptance/reservations.ts';
import { flexViewer } from '../plugins/flex-token.ts';
import type { Limits } from '../plugins/limits.ts';

export interface UrlProviderDeps {
  catalog: Pick<LookupCatalog, 'find'>;
  reservations: Reservations;
  flexTokens: FlexTokens;
  limits: Limits;
  audit: Audit;
  settings: AccessSettings;
  mediaLinks: MediaLinks;
  reader: RecordingReader;
  store: Pick<Store, 'presignGet'>;
}

type Asked = { recording: RecordingSid } | { reservation: ReservationSid };

const recordingNames = ['recording', 'recording_sid', 'recordingSid'];
const reservationNames = ['reservation', 'reservation_sid', 'reservationSid'];

/** The SID in the query, under any of the names in use; undefined if there is none. */
function askedFor(query: unknown): Asked | undefined {
  const values = query as Record<string, unknown>;
  const given = (names: readonly string[]) =>
    names.map((name) => values[name]).find((value) => value !== undefined);
  const [recording, reservation] = [given(recordingNames), given(reservationNames)];
  if (recording === undefined && reservation === undefined) return undefined;
  const recordingSid = asRecordingSid(recording);
  if (recordingSid) return { recording: recordingSid };
  const reservationSid = recording === undefined ? asReservationSid(reservation) : undefined;
  if (reservationSid) return { reservation: reservationSid };
  throw new CustodyError('recording_invalid', 'the query names no well-formed recording or reservation');
}

/** The recording, if there is one; otherwise the SID of the query. */
function subjectOf(asked: Asked, row: RecordingRow | undefined): AuditEntry['subject'] {
  if (row) return { kind: 'recording', sid: row.recordingSid };
  return 'recording' in asked
    ? { kind: 'recording', sid: asked.recording }
    : { kind: 'reservation', sid: asked.reservation };
}

/** Until a viewer may ask again for a recording that does not exist yet. */
const awaitedSeconds = 30;

const forbidden = () => new CustodyError('play_forbidden', 'this viewer may not play this');
const missing = (code: ErrorCode) => new CustodyError(code, 'no such recording can be played');

/**
 * `GET /url-provider`, `/sec_rec`, `/`: Flex Insights calls it, with the viewer's Flex token, before it plays. Right:
 * `access/may.ts`. The answer is `{"media_url"}`, the only field that the player reads.
 */
export async function urlProviderRoute(app: FastifyInstance, deps: UrlProviderDeps): Promise<void> {
  const viewerOf = flexViewer(deps.flexTokens, deps.limits);

  const provide = async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('Cache-Control', 'no-store');
    const viewer = await viewerOf(request, reply);
    deps.limits.links.count(viewer.identity);
    const asked = askedFor(request.query);
    if (!asked) throw new CustodyError('recording_invalid', 'the query names no recording');
    const link = linkFor(viewer, asked, request.id).catch((error: unknown) => {
      if (errorCode(error) === 'recording_awaited') reply.header('Retry-After', awaitedSeconds);
      throw error;
    });
    return { media_url: await link };
  };

  const linkFor = async (viewer: Viewer, asked: Asked, requestId: string): Promise<string> => {
    const row =
      'recording' in asked
        ? await deps.catalog.find(asked.recording)
        : await deps.reservations.recordingOf(asked.reservation);
    const entry = { viewer, action: 'play', subject: subjectOf(asked, row), requestId } as const;
    if (!row) {
      const isAwaited = 'reservation' in asked && (await isAwaitedBy(viewer, asked.reservation));
      const reason = isAwaited ? 'recording-awaited' : 'recording-unknown';
      await deps.audit.record({ ...entry, allowed: false, reason });
      if (isAwaited) throw missing('recording_awaited');
      // Only a viewer who may play every recording learns whether the recording is missing or denied.
      throw mayPlayEverything(viewer) ? missing('recording_unknown') : forbidden();
    }
    const { allowed, reason } = may(viewer, 'play', row, deps.settings);
    const playable = !allowed || originOf(row) !== undefined;
    await deps.audit.record({
      ...entry,
      allowed: allowed && playable,
      reason: playable ? reason : 'recording-absent',
      ...(allowed && playable && { custody: custodyOf(row) }),
    });
    if (!allowed) throw forbidden();
    if (row.intent) refuseErased(row);
    if (!playable) throw missing('recording_absent');
    return issue(viewer, row);
  };

  /** Whether the viewer might play a recording of this reservation, and one may still come. */
  const isAwaitedBy = async (viewer: Viewer, reservation: ReservationSid): Promise<boolean> => {
    const owner = await deps.reservations.awaited(reservation);
    return owner !== undefined && may(viewer, 'play', owner, deps.settings).allowed;
  };

  const issue = async (viewer: Viewer, row: RecordingRow): Promise<string> => {
    const { identity } = viewer;
    const { recordingSid, channels } = row;
    if (!isStored(row)) {
      return deps.mediaLinks.issue({ viewer: identity, recordingSid, channels, origin: 'twilio' });
    }
    if (row.object.mode === 'sse-kms') {
      return deps.store.presignGet(row.object.key, row.object.versionId, deps.mediaLinks.ttlSeconds);
    }
    deps.reader.openAhead(row);
    const version = versionOf(row);
    return deps.mediaLinks.issue({ viewer: identity, recordingSid, channels, origin: 'vault', version });
  };

  for (const url of ['/url-provider', '/sec_rec']) {
    app.get(url, { exposeHeadRoute: false }, provide);
  }
  // The guides of Twilio's blog use the root; without a recording it only names this program.
  app.get('/', { exposeHeadRoute: false }, async (request, reply) => {
    const values = request.query as Record<string, unknown>;
    const asks = [...recordingNames, ...reservationNames].some((name) => values[name] !== undefined);
    return asks ? provide(request, reply) : { name: 'flex-custody' };
  });
}
