import type { AccountSid, ReservationSid, TaskSid, WorkspaceSid } from '@flex-custody/core';
import type { Connection } from './connection.ts';
import { createAdjustablePace } from './pace.ts';
import { taskEvents } from './task-events.ts';

const workspaceSid = `WS${'2'.repeat(32)}` as WorkspaceSid;
const own = `https://taskrouter.twilio.com/v1/Workspaces/${workspaceSid}/Events`;
const period = { since: new Date(0), until: new Date(1_000) };
const event = (change: object = {}) => ({
  sid: `EV${'a'.repeat(32)}`,
  eventType: 'task.created',
  eventDate: new Date(2_000),
  eventDateMs: 2_345,
  eventData: { task_sid: 'WT1' },
  description: null,
  resourceSid: 'WT1',
  resourceType: 'task',
  ...change,
});

function client(instances: object[], nextPageUrl?: string) {
  const page = jest.fn(async (_asked: object) => ({ instances, nextPageUrl }));
  const getPage = jest.fn(async (_url: string) => ({ instances, nextPageUrl }));
  const connection = {
    accountSid: `AC${'1'.repeat(32)}` as AccountSid,
    workspaceSid,
    workspace: async () => ({ events: { page, getPage } }),
  } as unknown as Connection;
  const pace = createAdjustablePace(100, { windowMs: 1, longestMs: 1 });
  return { page, getPage, asks: taskEvents(connection, pace) };
}

test('pages of a period, the largest that TaskRouter gives', async () => {
  const { page, getPage, asks } = client([event()], `${own}?Page=1`);
  const first = await asks.taskEventsPage(period);
  expect(page).toHaveBeenCalledWith({ startDate: period.since, endDate: period.until, pageSize: 1_000 });
  expect(first).toEqual({
    events: [
      {
        sid: `EV${'a'.repeat(32)}`,
        type: 'task.created',
        at: new Date(2_345),
        description: '',
        resourceSid: 'WT1',
        resourceType: 'task',
        data: { task_sid: 'WT1' },
      },
    ],
    next: `${own}?Page=1`,
  });
  await asks.taskEventsPage(period, first.next);
  expect(getPage).toHaveBeenCalledWith(first.next);
});

test('the events of one task, or of one reservation', async () => {
  const { page, asks } = client([event()]);
  const of = [
    { taskSid: `WT${'1'.repeat(32)}` as TaskSid },
    { reservationSid: `WR${'1'.repeat(32)}` as ReservationSid },
  ];
  for (const one of of) await asks.taskEventsPage({ ...period, ...one });
  expect(page.mock.calls.map(([asked]) => asked)).toEqual(of.map((one) => expect.objectContaining(one)));
});

test('the data may be text, and the time in whole seconds alone', async () => {
  const { asks } = client([event({ eventDateMs: null, eventData: '{"a":1}' }), event({ eventData: null })]);
  const { events } = await asks.taskEventsPage(period);
  expect(events.map(({ at, data }) => [at.getTime(), data])).toEqual([
    [2_000, { a: 1 }],
    [2_345, {}],
  ]);
});

test.each([
  [{ sid: 'EV1' }, 'event SID'],
  [{ eventDate: null, eventDateMs: null }, 'time of an event'],
])('%j is no event', async (change, what) => {
  const { asks } = client([event(change)]);
  await expect(asks.taskEventsPage(period)).rejects.toMatchObject({
    code: 'twilio_answer',
    message: expect.stringContaining(what),
  });
});

test('a page elsewhere is not asked for: the credentials go along', async () => {
  const { getPage, asks } = client([]);
  for (const url of ['https://evil.example/', `${own.replace('WS2', 'WS3')}?Page=1`, `${own}.evil/?`])
    await expect(asks.taskEventsPage(period, url)).rejects.toMatchObject({ code: 'twilio_answer' });
  expect(getPage).not.toHaveBeenCalled();
});
