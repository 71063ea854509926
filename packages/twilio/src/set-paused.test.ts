import {
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  CustodyError,
  type LiveConference,
} from '@flex-custody/core';
import type { ListedRecording, RecordingChange, RecordingPlace } from './live-api.ts';
import { setPaused } from './set-paused.ts';

const hex = (n: number) => n.toString(16).padStart(32, '0');
const re = (n: number) => asRecordingSid(`RE${hex(n)}`)!;
const caller = asCallSid(`CA${hex(1)}`)!;
const agent = asCallSid(`CA${hex(2)}`)!;
const conference: LiveConference = {
  sid: asConferenceSid(`CF${hex(1)}`)!,
  legs: [
    { callSid: caller, to: '+15005550006' },
    { callSid: agent, to: 'client:alice' },
  ],
};

const keyOf = (place: RecordingPlace) => ('call' in place ? place.call : place.conference);
const processing = (n: number): ListedRecording => ({ recordingSid: re(n), status: 'processing' });

/** Twilio's side: what it lists where, and what it answers to a change. */
function scene(
  lists: Partial<Record<string, ListedRecording[] | Error>>,
  answers: Record<string, 'not-active' | Error> = {},
) {
  const changes: [place: string, recording: string, change: RecordingChange][] = [];
  const twilio = {
    async recordingsOf(place: RecordingPlace) {
      const list = lists[keyOf(place)] ?? [];
      if (list instanceof Error) throw list;
      return list;
    },
    async changeRecording(
      place: RecordingPlace,
      sid: ListedRecording['recordingSid'],
      change: RecordingChange,
    ) {
      changes.push([keyOf(place), sid, change]);
      const answer = answers[sid] ?? 'ok';
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return { twilio, changes };
}

const outage = new CustodyError('twilio_unavailable', 'down');

test('every leg and the conference itself, each recording by its SID', async () => {
  const { twilio, changes } = scene({
    [agent]: [processing(1), processing(2)],
    [caller]: [processing(3)],
    [conference.sid]: [processing(4)],
  });
  expect(await setPaused(twilio, conference, 'paused', 'skip')).toEqual([
    { recordingSid: re(4), of: 'conference' },
    { recordingSid: re(3), of: 'leg' },
    { recordingSid: re(1), of: 'leg' },
    { recordingSid: re(2), of: 'leg' },
  ]);
  expect(changes.map(([place]) => place)).toEqual([conference.sid, caller, agent, agent]);
  for (const [, , change] of changes) expect(change).toEqual({ status: 'paused', behavior: 'skip' });
});

test('silence keeps the timeline where nobody says otherwise; resuming has no behaviour', async () => {
  const { twilio, changes } = scene({ [agent]: [processing(1)] });
  await setPaused(twilio, conference, 'paused');
  await setPaused(twilio, conference, 'recording', 'skip');
  expect(changes.map(([, , change]) => change)).toEqual([
    { status: 'paused', behavior: 'silence' },
    { status: 'in-progress' },
  ]);
});

test('what has ended is not asked for, what turns out to have ended is left out', async () => {
  const ended = (['stopped', 'completed', 'absent', 'deleted'] as const).map((status, index) => ({
    recordingSid: re(index + 10),
    status,
  }));
  const { twilio, changes } = scene(
    {
      [agent]: [...ended, processing(1), { recordingSid: re(2), status: 'paused' }],
      [caller]: [processing(3)],
    },
    { [re(3)]: 'not-active' },
  );
  expect(await setPaused(twilio, conference, 'recording')).toEqual([
    { recordingSid: re(1), of: 'leg' },
    { recordingSid: re(2), of: 'leg' },
  ]);
  expect(changes).toHaveLength(3);
});

test('nothing that is recorded is an empty answer, no error', async () => {
  expect(await setPaused(scene({}).twilio, conference, 'paused')).toEqual([]);
});

test('a recording that both lists name is changed once, where it lies', async () => {
  const { twilio, changes } = scene({ [agent]: [processing(1)], [conference.sid]: [processing(1)] });
  expect(await setPaused(twilio, conference, 'paused')).toEqual([{ recordingSid: re(1), of: 'conference' }]);
  expect(changes).toHaveLength(1);
});

test('one that cannot be changed now does not keep the others from being, but is no success', async () => {
  const { twilio, changes } = scene({ [agent]: [processing(1), processing(2)] }, { [re(1)]: outage });
  await expect(setPaused(twilio, conference, 'paused')).rejects.toBe(outage);
  expect(changes.map(([, recording]) => recording)).toEqual([re(1), re(2)]);
});

test('a list that cannot be read is no success either, and what the others name is changed', async () => {
  const { twilio, changes } = scene({ [caller]: outage, [agent]: [processing(1)] });
  await expect(setPaused(twilio, conference, 'paused')).rejects.toBe(outage);
  expect(changes).toHaveLength(1);
});

test('of several errors the one that asking again does not mend', async () => {
  const refused = new CustodyError('twilio_unauthorized', 'no');
  const { twilio } = scene({ [caller]: outage, [agent]: [processing(1)] }, { [re(1)]: refused });
  await expect(setPaused(twilio, conference, 'paused')).rejects.toBe(refused);
});
