import { csatOf } from './csat.ts';

test.each([
  [{ measure: 'conversation_measure_3' }, { path: 'conversations.conversation_measure_3' }],
  [
    { measure: 'conversation_attribute_10', scale: 5 },
    { path: 'conversations.conversation_attribute_10', scale: 5 },
  ],
  [
    { measure: 'survey.score', scale: 10 },
    { path: 'survey.score', scale: 10 },
  ],
])('%j is read as %j', (given, setting) => {
  expect(csatOf(given)).toEqual(setting);
});
