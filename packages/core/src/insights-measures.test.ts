import { applyEdits } from '../../../test/support/apply-edits.ts';
import { withMeasures } from './insights-measures.ts';

test('measures are set beside what was there', () => {
  const attributes = { direction: 'inbound', conversations: { media: [1], conversation_measure_2: 9 } };
  expect(applyEdits(attributes, withMeasures({ 1: 12.5, 2: 3 }))).toEqual({
    direction: 'inbound',
    conversations: { media: [1], conversation_measure_1: 12.5, conversation_measure_2: 3 },
  });
});

test.each([[undefined], [null], [[]], ['text']])('where conversations is %p', (conversations) => {
  expect(applyEdits({ conversations }, withMeasures({ 10: 1 }))).toEqual({
    conversations: { conversation_measure_10: 1 },
  });
});
