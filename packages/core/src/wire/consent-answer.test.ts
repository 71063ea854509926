import { readConsentAnswer } from './consent-answer.ts';

test('a consent is read whole or not at all', () => {
  const answer = { required: true, standing: false, paused: false };
  expect(readConsentAnswer({ ...answer, more: 1 })).toEqual(answer);
  for (const name of Object.keys(answer))
    for (const value of [undefined, 'true', null])
      expect(readConsentAnswer({ ...answer, [name]: value })).toBeUndefined();
});
