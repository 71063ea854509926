import { Story } from '../testing/story.ts';
import { factOf } from './fact-of.ts';
import { statedNumbers } from './stated-numbers.ts';

/** What each event of a story states. */
const statedIn = (tell: (story: Story) => void) => {
  const story = new Story(1);
  tell(story);
  const all = story.events.flatMap((event) => {
    const fact = factOf(event);
    return fact ? statedNumbers(event, fact) : [];
  });
  return [...new Set(all)];
};

test.each([
  ['an inbound task: who called', { from: '+1', to: '+2', name: '+1' }, ['+1']],
  ['an outbound task: who was called', { direction: 'outbound', from: '+2', outbound_to: '+1' }, ['+1']],
  ['a conversation', { customerAddress: 'whatsapp:+1' }, ['whatsapp:+1']],
  ['attributes of wrong kinds', { from: {}, caller: null, name: [] }, []],
])('%s', (_name, attributes, stated) => {
  expect(statedIn((story) => story.moreTask('voice', 'Support', attributes))).toEqual(stated);
});

test.each([
  ['inbound', { Direction: 'inbound' }, ['+1']],
  ['of another way or none: it may lead to an agent', { Direction: 'outbound-api' }, []],
  ['without a direction', {}, []],
  ['to an agent', { Direction: 'inbound', To: 'client:anna' }, []],
])('a leg, %s', (_name, parameters, stated) => {
  expect(
    statedIn((story) =>
      story.voice('status-callback.call.completed', {
        ...{ CallSid: story.sid('CA'), From: '+1', To: '+2' },
        ...parameters,
      }),
    ),
  ).toEqual(stated);
});
