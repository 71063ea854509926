import { withMeasures } from './insights-measures.ts';

test('measures stand beside what was there', () => {
  const attributes = { direction: 'inbound', conversations: { media: [1], conversation_measure_2: 9 } };
  expect(JSON.parse(withMeasures(attributes, { 1: 12.5, 2: 3 }) ?? '')).toEqual({
    direction: 'inbound',
    conversations: { media: [1], conversation_measure_1: 12.5, conversation_measure_2: 3 },
  });
});

test.each([[undefined], [null], [[]], ['text']])('where conversations is %p', (conversations) => {
  expect(JSON.parse(withMeasures({ conversations }, { 10: 1 }) ?? '').conversations).toEqual({
    conversation_measure_10: 1,
  });
});

test('what Twilio would not take is not written', () => {
  expect(withMeasures({ long: 'x'.repeat(4_080) }, { 1: 1 })).toBeUndefined();
});
