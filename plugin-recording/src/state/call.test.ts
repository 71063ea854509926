import { sid } from '../testing';
import { type CallContext, callOf, type TaskLike } from './call';

const participant = (more: object) => ({
  isCurrentWorker: true,
  status: 'joined',
  callSid: sid('CA', '9'),
  ...more,
});
const task = (more: TaskLike = {}): TaskLike => ({
  sid: sid('WR'),
  taskSid: sid('WT'),
  status: 'accepted',
  attributes: { direction: 'inbound' },
  queueName: 'Everyone',
  queueSid: sid('WQ'),
  ...more,
});
const context = (more: Partial<CallContext> = {}): CallContext => ({ own: true, workers: ['ann'], ...more });

test('a call, as plain facts', () => {
  const conference = { conferenceSid: sid('CF'), participants: [participant({})] };
  expect(callOf(task({ conference }), context())).toEqual({
    taskSid: sid('WT'),
    reservationSid: sid('WR'),
    attributes: { direction: 'inbound' },
    direction: 'inbound',
    caller: false,
    transferred: false,
    queues: ['Everyone', sid('WQ')],
    workers: ['ann'],
    own: true,
    live: true,
    joined: true,
    leg: sid('CA', '9'),
    conferenceSid: sid('CF'),
  });
});

test.each([
  [{}, 'inbound', false],
  [{ direction: 'outbound' }, 'outbound', false],
  [{ client_call: true, direction: 'outbound' }, 'internal', true],
  [{ client_call: 'true', direction: 'inbound' }, 'internal', false],
  [{ client_call: 'false' }, 'inbound', false],
  [null, 'inbound', false],
])('attributes %p: %s, caller: %p', (attributes, direction, caller) => {
  expect(callOf(task({ attributes }), context())).toMatchObject({ direction, caller });
});

test.each([
  ['somebody else', participant({ isCurrentWorker: false })],
  ['who has left', participant({ status: 'recently_left' })],
])('%s is not this worker’s leg', (_who, one) => {
  expect(callOf(task({ conference: { participants: [one] } }), context())).toMatchObject({ joined: false });
});

test('of several legs of this worker the last one counts', () => {
  const participants = [participant({}), participant({ callSid: sid('CA', '8') })];
  expect(callOf(task({ conference: { participants } }), context())?.leg).toBe(sid('CA', '8'));
});

test('the leg is known from wherever Flex has it', () => {
  const { callSid: _none, ...unnamed } = participant({});
  const named = { ...unnamed, mediaProperties: { call_sid: sid('CA', '6') } };
  const phone = { callSid: sid('CA', '7') };
  expect(callOf(task(), context({ conference: { participants: [participant({})] } }))?.leg).toBe(
    sid('CA', '9'),
  );
  expect(callOf(task({ conference: { participants: [named] } }), context({ phone }))?.leg).toBe(
    sid('CA', '6'),
  );
  expect(callOf(task({ conference: { participants: [unnamed] } }), context({ phone }))?.leg).toBe(
    sid('CA', '7'),
  );
});

test('a leg whose SID is not known yet has joined all the same', () => {
  const found = callOf(
    task({ conference: { participants: [participant({ callSid: undefined })] } }),
    context(),
  );
  expect(found).toMatchObject({ joined: true });
  expect(found).not.toHaveProperty('leg');
});

test('where Flex shows no conference, the phone tells', () => {
  const phone = { callSid: sid('CA', '7') };
  expect(callOf(task(), context({ phone }))).toMatchObject({ joined: true, leg: sid('CA', '7') });
  expect(callOf(task({ status: 'pending' }), context({ phone }))).toMatchObject({ joined: false });
  expect(callOf(task(), context({ phone, own: false }))).toMatchObject({ joined: false });
  expect(callOf(task({ conference: { participants: [] } }), context({ phone }))).toMatchObject({
    joined: false,
  });
});

test('the conference is known from the task’s attributes too', () => {
  expect(callOf(task({ attributes: { conference: { sid: sid('CF') } } }), context())?.conferenceSid).toBe(
    sid('CF'),
  );
});

test('a transfer shows', () => {
  expect(callOf(task({ incomingTransferObject: { mode: 'COLD' } }), context())?.transferred).toBe(true);
});

test('what has no SIDs is no call', () => {
  expect(callOf(task({ sid: 'WR1' }), context())).toBeUndefined();
  expect(callOf(task({ taskSid: undefined }), context())).toBeUndefined();
});
