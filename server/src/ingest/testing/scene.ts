import {
  asAccountSid,
  asCallSid,
  asConferenceSid,
  asRecordingSid,
  asReservationSid,
  asTaskSid,
  asWorkerSid,
  type RecordingCallback,
} from '@flex-custody/core';
import type { TwilioRecording } from '@flex-custody/twilio';
import { FakeTwilio } from './fake-twilio.ts';

const required = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('a SID of this scene is malformed');
  return value;
};
const digits = (n: number) => n.toString(16).padStart(32, '0');

export const sids = {
  account: required(asAccountSid(`AC${digits(1)}`)),
  otherAccount: required(asAccountSid(`AC${digits(2)}`)),
  task: required(asTaskSid(`WT${digits(1)}`)),
  otherTask: required(asTaskSid(`WT${digits(2)}`)),
  reservation: required(asReservationSid(`WR${digits(1)}`)),
  otherReservation: required(asReservationSid(`WR${digits(2)}`)),
  worker: required(asWorkerSid(`WK${digits(1)}`)),
  otherWorker: required(asWorkerSid(`WK${digits(2)}`)),
  leg: required(asCallSid(`CA${digits(1)}`)),
  otherLeg: required(asCallSid(`CA${digits(2)}`)),
  customerLeg: required(asCallSid(`CA${digits(3)}`)),
  conference: required(asConferenceSid(`CF${digits(1)}`)),
  otherConference: required(asConferenceSid(`CF${digits(2)}`)),
  recording: (n: number) => required(asRecordingSid(`RE${digits(n)}`)),
} as const;

export const startedAt = new Date('2026-11-20T10:00:05Z');
const accepted = new Date('2026-11-20T10:00:04Z');

/** One call of one task, taken by one of two workers; the other has a task and a leg as well. */
export function scene(): FakeTwilio {
  const twilio = new FakeTwilio();
  twilio.workers.set(sids.worker, {
    friendlyName: 'agent@example.com',
    attributes: JSON.stringify({ contact_uri: 'client:agent_40example_2Ecom' }),
  });
  twilio.workers.set(sids.otherWorker, { friendlyName: 'other', attributes: '{}' });
  twilio.calls.set(sids.leg, 'client:agent_40example_2Ecom');
  twilio.calls.set(sids.otherLeg, 'client:other');
  twilio.calls.set(sids.customerLeg, '+15550100');
  twilio.conferences.set(sids.conference, [sids.customerLeg, sids.leg]);
  twilio.tasks.set(sids.task, {
    attributes: JSON.stringify({
      direction: 'inbound',
      call_sid: sids.customerLeg,
      conference: {
        sid: sids.conference,
        participants: { worker: sids.leg, customer: sids.customerLeg },
      },
    }),
    version: 1,
    dateUpdated: new Date('2026-11-20T10:01:00Z'),
  });
  twilio.tasks.set(sids.otherTask, { attributes: '{}', version: 1, dateUpdated: accepted });
  twilio.reserved.set(sids.reservation, {
    sid: sids.reservation,
    taskSid: sids.task,
    workerSid: sids.worker,
    dateUpdated: accepted,
  });
  twilio.reserved.set(sids.otherReservation, {
    sid: sids.otherReservation,
    taskSid: sids.otherTask,
    workerSid: sids.otherWorker,
    dateUpdated: accepted,
  });
  return twilio;
}

/** Puts a finished recording of the worker's leg at Twilio and answers the callback that announces it. */
export function recorded(
  twilio: FakeTwilio,
  n: number,
  facts: Partial<TwilioRecording> = {},
  hints: RecordingCallback['hints'] = { taskSid: sids.task, reservationSid: sids.reservation },
): RecordingCallback {
  const sid = sids.recording(n);
  twilio.recordings.set(sid, {
    sid,
    accountSid: sids.account,
    callSid: sids.leg,
    status: 'completed',
    channels: 2,
    durationSeconds: 30,
    startedAt,
    ...facts,
  });
  return { accountSid: sids.account, recordingSid: sid, status: 'completed', hints };
}
