import { nextState, type RecordingEvent, type RecordingState, recordingStates } from './recording-state.ts';

const walk = (from: RecordingState, ...events: RecordingEvent[]) =>
  events.reduce<RecordingState | undefined>((state, event) => state && nextState(state, event), from);

test('the straight way ends verified', () => {
  expect(walk('registered', 'leased', 'sealed', 'verified')).toBe('verified');
});

test('a lapsed lease is taken over, a released one starts again', () => {
  expect(walk('registered', 'leased', 'leased', 'sealed')).toBe('sealed');
  expect(walk('registered', 'leased', 'released')).toBe('registered');
});

test('a copy that proves wrong is made again', () => {
  expect(walk('registered', 'leased', 'sealed', 'rejected', 'leased')).toBe('copying');
});

test('what was given up can be replayed, from its object where it has one', () => {
  expect(walk('registered', 'gave-up', 'replayed')).toBe('registered');
  expect(walk('sealed', 'gave-up', 'reinstated', 'verified')).toBe('verified');
});

test('a verified copy that is not Twilio’s media is made again', () => {
  expect(walk('verified', 'disproved', 'leased', 'sealed', 'verified')).toBe('verified');
});

test('no message can carry a verified recording anywhere', () => {
  const events: RecordingEvent[] = [
    'leased',
    'released',
    'sealed',
    'rejected',
    'verified',
    'gave-up',
    'replayed',
    'reinstated',
    'absent',
  ];
  for (const event of events) expect(nextState('verified', event)).toBeUndefined();
});

test('nothing is sealed without a lease and nothing verified unsealed', () => {
  for (const state of recordingStates) {
    if (state !== 'copying') expect(nextState(state, 'sealed')).toBeUndefined();
    if (state !== 'failed') expect(nextState(state, 'reinstated')).toBeUndefined();
    if (state !== 'sealed') expect(nextState(state, 'verified')).toBeUndefined();
  }
});
