import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  CustodyError,
  type RecordingSid,
  readEncryption,
} from '@flex-custody/core';
import type { RecordingInstance } from 'twilio/lib/rest/api/v2010/account/recording.js';
import { type RecordingPage, recordingStatuses, type TwilioRecording } from './api.ts';
import { type Connection, expected, read } from './connection.ts';
import type { RecordingPlace } from './live-api.ts';

/** Some seconds' work for Twilio at most: a page that takes longer than a request may would never come. */
const pageSize = 500;
/** Recordings of one call or conference. */
const mostAt = 100;
const origin = 'https://api.twilio.com';

/** Recordings as facts, one by one or page by page. */
export function recordings({ account, accountSid }: Connection) {
  return {
    recording: (sid: RecordingSid): Promise<TwilioRecording | undefined> =>
      read('a recording', async () => recordingOf(await (await account()).recordings(sid).fetch())),

    async deleteRecording(sid: RecordingSid): Promise<'deleted' | 'gone'> {
      const done = await read('a recording to be deleted', async () =>
        (await account()).recordings(sid).remove(),
      );
      return done === undefined ? 'gone' : 'deleted';
    },

    async recordingsAt(place: RecordingPlace): Promise<TwilioRecording[]> {
      const of = 'call' in place ? { callSid: place.call } : { conferenceSid: place.conference };
      const found = await read('recordings of a call or conference', async () =>
        (await account()).recordings.list({ ...of, includeSoftDeleted: true, limit: mostAt }),
      );
      return (found ?? []).map(recordingOf);
    },

    async recordingsPage(window: { since: Date; until?: Date }, pageUrl?: string): Promise<RecordingPage> {
      if (pageUrl !== undefined && !isOwnPage(pageUrl, accountSid)) {
        throw new CustodyError('twilio_answer', "the next page of Twilio's list is not at Twilio");
      }
      const page = await read('the list of recordings', async () => {
        const list = (await account()).recordings;
        if (pageUrl !== undefined) return list.getPage(pageUrl);
        const until = window.until && { dateCreatedBefore: window.until };
        return list.page({ dateCreatedAfter: window.since, ...until, includeSoftDeleted: true, pageSize });
      });
      // Taken for an empty page it would be the end of the list.
      if (!page) throw new CustodyError('twilio_answer', 'Twilio has no such page of its list of recordings');
      const next = page.nextPageUrl;
      const oldest = oldestOf(page.instances);
      return {
        recordings: page.instances.map(recordingOf),
        ...(oldest && { oldest }),
        ...(next && { next }),
      };
    },
  };
}

/** The credentials go along with every page: they are for this account at Twilio alone. */
function isOwnPage(pageUrl: string, accountSid: string): boolean {
  return pageUrl.startsWith(`${origin}/2010-04-01/Accounts/${accountSid}/Recordings.json?`);
}

function oldestOf(found: readonly RecordingInstance[]): Date | undefined {
  const times = found.flatMap(({ dateCreated: at }) => (at instanceof Date ? at.getTime() : []));
  const oldest = Math.min(...times.filter((time) => !Number.isNaN(time)));
  return Number.isFinite(oldest) ? new Date(oldest) : undefined;
}

function recordingOf(found: RecordingInstance): TwilioRecording {
  const callSid = asCallSid(found.callSid);
  const conferenceSid = asConferenceSid(found.conferenceSid);
  const seconds = Number(found.duration);
  const startedAt = found.startTime ?? found.dateCreated;
  const encryption = encryptionOf(found.encryptionDetails);
  return {
    sid: expected(asRecordingSid(found.sid), 'recording SID'),
    accountSid: expected(asAccountSid(found.accountSid), 'account SID'),
    ...(callSid ? { callSid } : {}),
    ...(conferenceSid ? { conferenceSid } : {}),
    status: expected(
      recordingStatuses.find((status) => status === found.status),
      'recording status',
    ),
    channels: Number(found.channels) === 2 ? 2 : 1,
    ...(found.duration && seconds >= 0 ? { durationSeconds: seconds } : {}),
    startedAt: expected(
      startedAt instanceof Date && !Number.isNaN(startedAt.getTime()) ? startedAt : undefined,
      'start of a recording',
    ),
    ...(found.errorCode ? { errorCode: String(found.errorCode) } : {}),
    ...(encryption && { encryption }),
  };
}

function encryptionOf(details: unknown): TwilioRecording['encryption'] {
  try {
    return readEncryption(details);
  } catch {
    // The copy of this recording reports the fault; the others of the page are not affected.
    return 'unreadable';
  }
}
