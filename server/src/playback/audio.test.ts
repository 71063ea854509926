import type { CopyProof } from '@flex-custody/core';
import { custodyOf } from './audio.ts';
import { rowOf, storedRow } from './testing/kit.ts';

const proof: CopyProof = { at: '2026-01-01T00:00:00Z', host: 'h', by: 'copy', how: 'sha256' };

test('what is known of audio that is played', () => {
  expect(custodyOf(storedRow({}, { proof }))).toBe('proven');
  expect(custodyOf(storedRow())).toBe('verified');
  expect(custodyOf(storedRow({}, { state: 'sealed', proof }))).toBe('unverified');
  expect(custodyOf(rowOf({ proof }))).toBe('twilio');
});
