import { asCallSid, asConferenceSid, asReservationSid, asTaskSid } from '@flex-custody/core';
import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Fact, ParticipantsFact } from './fact.ts';
import { keysOf } from './link-key.ts';
import { present } from './task-router.ts';
import { asFlag, asText, asTime, fieldsIn } from './values.ts';

/**
 * Reads the host's own events: `flex-custody.report` is a plugin's or Function's report that was checked with Twilio
 * (`kind`: `held`, `unheld`, `paused`, `resumed`), `flex-custody.participants` a look at a conference's participants
 * (`conferenceSid`, `participants: [{callSid, hold}]`).
 */
export function readOwn(event: AgentEvent, name: string): Fact | undefined {
  const of = fieldsIn(event.data);
  const callSid = asCallSid(of('callSid'));
  const conferenceSid = asConferenceSid(of('conferenceSid'));
  const reservationSid = asReservationSid(of('reservationSid'));
  const taskSid = asTaskSid(of('taskSid'));
  const common = {
    id: event.id,
    at: asTime(of('at')) ?? event.time.getTime(),
    keys: keysOf(taskSid, reservationSid, conferenceSid, callSid),
  };
  if (name === 'participants') {
    const list: unknown = of('participants');
    const participants = (Array.isArray(list) ? list : []).flatMap(
      (one: unknown): ParticipantsFact['participants'][number][] => {
        const fields = fieldsIn(one);
        const leg = asCallSid(fields('callSid'));
        const hold = asFlag(fields('hold'));
        return leg && hold !== undefined ? [{ callSid: leg, hold }] : [];
      },
    );
    const legs = participants.map((one) => one.callSid);
    return {
      ...common,
      keys: keysOf(...common.keys, ...legs),
      kind: 'participants',
      participants,
      ...present({ conferenceSid }),
    };
  }
  const kind = asText(of('kind'));
  if (kind === 'held' || kind === 'unheld') {
    return {
      ...common,
      kind: 'hold',
      source: 'report',
      on: kind === 'held',
      ...present({ callSid, conferenceSid, reservationSid }),
    };
  }
  if (kind === 'paused' || kind === 'resumed') {
    return { ...common, kind: 'pause', on: kind === 'paused', ...present({ reservationSid, taskSid }) };
  }
  return { ...common, kind: 'bare' };
}
