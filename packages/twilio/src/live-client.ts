import {
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
} from '@flex-custody/core';
import { recordingStatuses } from './api.ts';
import { type Connection, expected, read } from './connection.ts';
import { isNotFound, isOver, isRefusal, twilioError } from './errors.ts';
import type { ListedRecording, RecordingPlace, TwilioLive } from './live-api.ts';

const mostLegs = 20;
const mostTasks = 10;
const mostRecordings = 50;

interface Listed {
  sid: string;
  status: string;
  dateCreated?: Date | null;
}

/** The part of the client that deals with calls while they last. */
export function liveCalls({ account, workspace }: Connection): TwilioLive {
  const listOf = async (place: RecordingPlace): Promise<Listed[]> => {
    const from = await account();
    const limit = mostRecordings;
    return 'call' in place
      ? from.calls(place.call).recordings.list({ limit })
      : from.conferences(place.conference).recordings.list({ limit });
  };

  const call = (sid: CallSid) =>
    read('a call', async () => {
      const { to, status } = await (await account()).calls(sid).fetch();
      return { callSid: sid, to: to ?? '', live: status === 'in-progress' };
    });

  /** The participants that are in a conference now; undefined where it is unknown. */
  const present = async (sid: ConferenceSid) => {
    const found = await read('the participants of a live conference', async () =>
      (await account()).conferences(sid).participants.list({ limit: mostLegs }),
    );
    return found?.filter(({ status }) => status !== 'complete' && status !== 'failed');
  };

  return {
    ...streams({ account }),
    async liveConferences(friendlyName) {
      const found = await read('conferences by name', async () =>
        (await account()).conferences.list({ friendlyName, status: 'in-progress', limit: 2 }),
      );
      return (found ?? []).map(({ sid }) => expected(asConferenceSid(sid), 'conference SID'));
    },
    async liveConference(sid) {
      const [conference, participants = []] = await Promise.all([
        read('a conference', async () => (await account()).conferences(sid).fetch()),
        present(sid),
      ]);
      if (conference?.status !== 'in-progress') return undefined;
      const legs = await Promise.all(
        participants.map((one) => call(expected(asCallSid(one.callSid), 'call SID'))),
      );
      return {
        sid,
        friendlyName: conference.friendlyName ?? '',
        legs: legs.flatMap((leg) => (leg ? { callSid: leg.callSid, to: leg.to } : [])),
      };
    },
    async holds(sid) {
      const found = (await present(sid)) ?? [];
      return found.map(({ callSid, hold }) => ({ callSid: expected(asCallSid(callSid), 'call SID'), hold }));
    },
    callIsLive: async (sid) => (await call(sid))?.live ?? false,
    async acceptedTasks(worker) {
      const found = await read('the reservations of a worker', async () =>
        (await workspace())
          .workers(worker)
          .reservations.list({ reservationStatus: 'accepted', limit: mostTasks }),
      );
      const sids = (found ?? []).map((one) => expected(asTaskSid(one.taskSid), 'task SID of a reservation'));
      return [...new Set(sids)];
    },
    async recordingsOf(place) {
      const found = await read('recordings of a call', () => listOf(place));
      return (found ?? []).map(
        ({ sid, status, dateCreated }): ListedRecording => ({
          ...(dateCreated && { createdAt: dateCreated }),
          recordingSid: expected(asRecordingSid(sid), 'recording SID'),
          status: expected(
            recordingStatuses.find((one) => one === status),
            'recording status',
          ),
        }),
      );
    },
    async changeRecording(place, sid, { status, ...more }) {
      const pause = 'behavior' in more ? { pauseBehavior: more.behavior } : {};
      try {
        const recording =
          'call' in place
            ? (await account()).calls(place.call).recordings(sid)
            : (await account()).conferences(place.conference).recordings(sid);
        await recording.update({ status, ...pause });
        return 'ok';
      } catch (error) {
        if (isOver(error)) return 'not-active';
        throw twilioError('a recording to be changed', error);
      }
    },
    async startRecording(sid, callback) {
      try {
        const { sid: recording } = await (await account()).calls(sid).recordings.create({
          recordingChannels: 'dual',
          recordingStatusCallback: callback,
          // One value with a space, as Twilio's page on recordings has it.
          recordingStatusCallbackEvent: ['completed absent'],
        });
        return expected(asRecordingSid(recording), 'recording SID');
      } catch (error) {
        if (isOver(error)) return undefined;
        throw twilioError('a recording to be started', error);
      }
    },
  };
}

function streams({ account }: Pick<Connection, 'account'>): Pick<TwilioLive, 'startStream' | 'stopStream'> {
  return {
    async startStream(sid, { url, name }) {
      try {
        const found = await (await account())
          .calls(sid)
          .streams.create({ url, name, track: 'inbound_track' });
        return {
          streamSid: expected(/^MZ[0-9a-f]{32}$/.test(found.sid) ? found.sid : undefined, 'stream SID'),
        };
      } catch (error) {
        if (isOver(error)) return 'not-live';
        if (isRefusal(error)) return 'refused';
        throw twilioError('a stream to be started', error);
      }
    },
    async stopStream(sid, sidOrName) {
      try {
        await (await account()).calls(sid).streams(sidOrName).update({ status: 'stopped' });
        return true;
      } catch (error) {
        if (isNotFound(error) || isRefusal(error)) return false;
        throw twilioError('a stream to be stopped', error);
      }
    },
  };
}
