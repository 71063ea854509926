import fc from 'fast-check';
import { contactsOf } from './contacts-of.ts';
import { calls } from './testing/strangers/calls.ts';
import { deliver } from './testing/strangers/deliver.ts';
import { messages } from './testing/strangers/messages.ts';
import { outbound } from './testing/strangers/outbound.ts';
import { said } from './testing/strangers/said.ts';
import type { Tale } from './testing/strangers/tale.ts';
import { ties } from './testing/strangers/ties.ts';
import { transfers } from './testing/strangers/transfers.ts';
import { Wire } from './testing/strangers/wire.ts';

const tales = [...calls, ...transfers, ...outbound, ...messages, ...ties];

function wireOf({ name, start, write }: Tale): Wire {
  const wire = new Wire(name, start);
  write(wire);
  return wire;
}
const contactsIn = (wire: Wire, events = deliver(wire.events, 'webhook')) =>
  contactsOf(events).map((contact) => said(contact, wire.start));

describe.each(tales)('$name', (tale) => {
  const wire = wireOf(tale);

  test('is the contact that it must be', () => {
    expect(contactsIn(wire)).toEqual(tale.contacts);
  });

  test('is the same in reverse order, from Kinesis, and with duplicates under other ids', () => {
    const again = wire.events.map((event, index) => ({
      ...event,
      id: `EZ${String(index).padStart(32, '0')}`,
    }));
    const taskRouter = again.filter(({ type }) => type.startsWith('com.twilio.taskrouter.'));
    const events = deliver([...wire.events, ...taskRouter].reverse(), 'kinesis');
    expect(contactsIn(wire, events)).toEqual(tale.contacts);
  });

  test('is the same in any order', () => {
    const events = deliver(wire.events, 'webhook');
    const places = events.map((_, place) => place);
    const whole = { minLength: events.length, maxLength: events.length };
    fc.assert(
      fc.property(fc.shuffledSubarray(places, whole), (order) => {
        expect(
          contactsIn(
            wire,
            order.map((place) => events[place]!),
          ),
        ).toEqual(tale.contacts);
      }),
      { numRuns: 20 },
    );
  });

  if (!tale.needsVoice)
    test('is the same without any event of voice', () => {
      const events = deliver(wire.events, 'webhook').filter(
        ({ type }) => !type.startsWith('com.twilio.voice.'),
      );
      expect(contactsIn(wire, events)).toEqual(tale.contacts);
    });
});
