import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventTypes, isContent, rateLimitType, testEventType, typeOf } from '../events/event-types.ts';
import { factOf } from './sessions/facts/fact-of.ts';
import { type CloudEvent, received } from './sessions/testing/cloud-event.ts';

const folder = join(__dirname, 'sessions/testing/fixtures');
const eventOf = (name: string): CloudEvent =>
  (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { webhook: [CloudEvent] }).webhook[0];
const byType = new Map(
  readdirSync(folder).map((name) => [`com.twilio.${name.replace(/\.json$/, '')}`, eventOf(name)]),
);

/** Why the host takes an event of this type; undefined: nothing reads it. */
function readBy(type: string): string | undefined {
  if (type === rateLimitType) return 'limits';
  const event = byType.get(type);
  const fact = event && factOf(received(event));
  if (fact && fact.keys.length > 0) return 'sessions';
  return type.startsWith('com.twilio.taskrouter.') ? 'gap repair' : undefined;
}

test.each(eventTypes)('something reads %s', (type) => {
  expect(readBy(type)).toBeDefined();
});

test('each type from which a session reads more than its keys is subscribed', () => {
  const told = [...byType].filter(([type, event]) => {
    const fact = factOf(received(event));
    return fact !== undefined && fact.kind !== 'bare' && !isContent(type) && type !== testEventType;
  });
  expect(told.length).toBeGreaterThan(40);
  expect(told.map(([type]) => typeOf(type)).filter((type) => !eventTypes.includes(type))).toEqual([]);
});
