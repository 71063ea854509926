import type { Call } from '../state/call';
import { call, settings } from '../testing';
import { type AcceptDeps, type AcceptPayload, beforeAccept, keptOurOptions } from './accept';

function setup(
  more: Partial<AcceptDeps> = {},
  seen: Call | undefined = call({ live: false, joined: false }),
) {
  const told: unknown[] = [];
  const made: AcceptDeps = {
    settings: settings(),
    flexRecords: () => false,
    callOf: () => seen,
    accepted: () => told.push('accepted'),
    notRecorded: (_call, reason) => told.push(reason),
    doubled: () => told.push('doubled'),
    log: () => told.push('logged'),
    ...more,
  };
  return { told, accept: beforeAccept(made) };
}

const flex = (conferenceRecord = false) => ({
  endConferenceOnExit: true,
  endConferenceOnCustomerExit: true,
  conferenceRecord,
});

test('an inbound call is accepted with one recording', () => {
  const { accept, told } = setup();
  const payload = { sid: 'WR1', conferenceOptions: flex() };
  accept(payload);
  expect(payload.conferenceOptions).toMatchObject({
    ...flex(),
    record: 'true',
    recordingChannels: 'dual',
    recordingStatusCallbackMethod: 'POST',
    recordingStatusCallback: expect.stringContaining(`reservationSid=${call().reservationSid}#`),
  });
  expect(told).toEqual(['accepted']);
});

test('a payload with a SID alone gets its options too', () => {
  const { accept, told } = setup();
  const payload: AcceptPayload = { sid: 'WR1' };
  accept(payload);
  expect(payload.conferenceOptions).toMatchObject({ record: 'true', conferenceRecord: false });
  expect(told).toEqual(['accepted']);
});

test.each([['text'], [null], [[]], [7]])('options that are %p count as none', (conferenceOptions) => {
  const payload: AcceptPayload = { conferenceOptions };
  setup().accept(payload);
  expect(payload.conferenceOptions).toMatchObject({ record: 'true' });
});

test('a task that is no call is not touched', () => {
  const told: unknown[] = [];
  const payload: AcceptPayload = { sid: 'WR1', conferenceOptions: flex() };
  setup({ callOf: () => undefined, log: () => told.push('logged') }).accept(payload);
  expect(payload).toEqual({ sid: 'WR1', conferenceOptions: flex() });
  expect(told).toEqual([]);
});

test('each agent of a transfer has a recording under the own reservation', () => {
  const urls = ['1', '2'].map((digit) => {
    const reservationSid = `WR${digit.repeat(32)}` as Call['reservationSid'];
    const payload: AcceptPayload = {};
    setup({}, call({ reservationSid, transferred: digit === '2' })).accept(payload);
    return (payload.conferenceOptions as Record<string, string>)['recordingStatusCallback'];
  });
  expect(new Set(urls).size).toBe(2);
});

test("ours with Flex's switch on: Flex's is turned off for the call, and that is told", () => {
  const { accept, told } = setup();
  const payload = { conferenceOptions: { ...flex(true), conferenceRecordingStatusCallback: 'x' } };
  accept(payload);
  expect(payload.conferenceOptions).not.toHaveProperty('conferenceRecordingStatusCallback');
  expect(payload.conferenceOptions.conferenceRecord).toBe(false);
  expect(told).toEqual(['accepted', 'doubled']);
});

test.each(['ours', 'theirs'])('another plugin records already (%s): told', (mode) => {
  const { accept, told } = setup({ settings: settings({ mode }) });
  accept({ conferenceOptions: { ...flex(mode === 'theirs'), record: 'true' } });
  expect(told).toContain('doubled');
});

test('both, on purpose, is no double recording', () => {
  const { accept, told } = setup({ settings: settings({ mode: 'both' }) });
  accept({ conferenceOptions: flex(true) });
  expect(told).toEqual(['accepted']);
});

test("theirs and Flex's switch off: left as it is, and told why", () => {
  const { accept, told } = setup({ settings: settings({ mode: 'theirs' }) });
  const payload = { conferenceOptions: flex() };
  accept(payload);
  expect(payload.conferenceOptions).toEqual(flex());
  expect(told).toEqual(['flex-recording-off']);
});

test("what the acceptance says of the conference counts before Flex's switch", () => {
  const theirs = { settings: settings({ mode: 'theirs' }) };
  const said = setup({ ...theirs, flexRecords: () => true });
  said.accept({ conferenceOptions: flex(false) });
  expect(said.told).toEqual(['flex-recording-off']);
  const unsaid = setup({ ...theirs, flexRecords: () => true });
  unsaid.accept({});
  expect(unsaid.told).toEqual([]);
});

test('without settings the acceptance stays as it is, and that is told', () => {
  const { accept, told } = setup({ settings: settings({}, { functions_url: 'ftp://x' }) });
  const payload = { conferenceOptions: flex(true) };
  accept(payload);
  expect(payload.conferenceOptions).toEqual(flex(true));
  expect(told).toEqual(['settings-invalid']);
});

test('a call between agents is not recorded, by Flex neither', () => {
  const { accept, told } = setup({}, call({ direction: 'internal', caller: true }));
  const payload = { conferenceOptions: flex(true) };
  accept(payload);
  expect(payload.conferenceOptions).toEqual(flex(false));
  expect(told).toEqual(['internal-call']);
});

describe('trouble never keeps an agent from a call', () => {
  const boom = () => {
    throw new Error('boom');
  };

  test('the task cannot be read: untouched and logged', () => {
    const { accept, told } = setup({ callOf: boom });
    const payload = { conferenceOptions: flex() };
    expect(() => accept(payload)).not.toThrow();
    expect(payload.conferenceOptions).toEqual(flex());
    expect(told).toEqual(['logged']);
  });

  test('something unexpected while deciding: untouched, logged, told', () => {
    const { accept, told } = setup({ flexRecords: boom });
    const payload: AcceptPayload = {};
    expect(() => accept(payload)).not.toThrow();
    expect(payload).toEqual({});
    expect(told).toEqual(['logged', 'unexpected']);
  });

  test('a payload that cannot be written: told as such', () => {
    const { accept, told } = setup();
    const payload = Object.freeze({ conferenceOptions: flex() });
    expect(() => accept(payload)).not.toThrow();
    expect(told).toEqual(['logged', 'accept-failed']);
  });

  test('not even telling of it may throw', () => {
    const { accept } = setup({ flexRecords: boom, log: boom, notRecorded: boom });
    expect(() => accept({})).not.toThrow();
  });
});

test('after the acceptance it shows whether a later listener took the options away', () => {
  const payload: AcceptPayload = {};
  setup().accept(payload);
  expect(keptOurOptions(payload)).toBe(true);
  expect(keptOurOptions({ conferenceOptions: flex() })).toBe(false);
  expect(keptOurOptions({})).toBe(false);
});
