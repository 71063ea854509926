/** Made-up events in the forms in which Twilio sends them. */
export const sid = (letters: string, n: number) => `${letters}${n.toString(16).padStart(32, '0')}`;
export const account = sid('AC', 0xa);

export interface Given {
  n: number;
  type?: string;
  id?: unknown;
  time?: unknown;
  task?: number;
  /** Absent: without a SID of its own. */
  eventSid?: string | undefined;
  payload?: Record<string, unknown>;
  data?: unknown;
}

/** As Event Streams' webhook delivers it. */
export function cloudEvent({ n, task = n, payload, ...given }: Given): Record<string, unknown> {
  const data = {
    ...('eventSid' in given ? given.eventSid && { sid: given.eventSid } : { sid: sid('EV', n) }),
    account_sid: account,
    payload: {
      account_sid: account,
      resource_sid: sid('WR', n),
      reservation_sid: sid('WR', n),
      task_sid: sid('WT', task),
      task_attributes: JSON.stringify({ call_sid: sid('CA', task), conference: { sid: sid('CF', task) } }),
      timestamp_ms: 1_780_000_000_000 + n,
      ...payload,
    },
  };
  return {
    specversion: '1.0',
    type: 'com.twilio.taskrouter.reservation.accepted',
    source: 'x',
    id: `EZ${n}`,
    time: '2026-05-28T20:26:40.000Z',
    data,
    ...Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'eventSid')),
  };
}

/** As a record of Kinesis holds it: `data` is a text. */
export const kinesisRecord = (given: Given): Buffer => {
  const event = cloudEvent(given);
  return Buffer.from(JSON.stringify({ ...event, data: JSON.stringify(event['data']) }));
};
