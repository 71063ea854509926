import { readFileSync } from 'node:fs';
import type { RecordingSid } from '@flex-custody/core';
import { properties } from './properties.ts';
import { interactionWith, mappingOf } from './testing/mapping-of.ts';

const of = (changes: Parameters<typeof interactionWith>[0]) =>
  mappingOf().event(interactionWith(changes), 'task.created')?.properties;

test('docs/brevo.md has each property, in its order', () => {
  const [, chapter = ''] = readFileSync('docs/brevo.md', 'utf8').split('\n## Event properties\n');
  const [own = ''] = chapter.split('\n## ');
  const rows = [...own.matchAll(/^\| `(\w+)` \| (\w+) \| (.*) \|$/gm)].map(([, ...cells]) => cells);
  expect(rows).toEqual(Object.entries(properties).map(([name, { type, means }]) => [name, type, means]));
});

test('every event of every channel has the same properties', () => {
  const whole = {
    messages: 14,
    abandonedPhase: 'Queue',
    csatScore: 4.25,
    conversationEndedAt: 2,
    surveyedAt: 3,
    transferredAt: 4,
  };
  const [voice, whatsapp] = (['voice', 'whatsapp'] as const).map((channel) => of({ channel, ...whole }));
  expect(voice).toEqual({
    channel: 'voice',
    direction: 'inbound',
    queue_name: 'Support',
    agent: 'ada',
    wait_seconds: 12,
    talk_seconds: 251.3,
    hold_seconds: 0,
    wrap_up_seconds: 36.9,
    messages: 14,
    outcome: 'resolved',
    abandoned_phase: 'Queue',
    csat_score: 4.3,
    recordings: `RE${'0a'.repeat(16)},RE${'0b'.repeat(16)}`,
    custody_id: '0b5f2c36-1111-4222-8333-444455556666',
  });
  expect(Object.keys(voice ?? {})).toEqual(Object.keys(properties));
  expect(whatsapp).toEqual({ ...voice, channel: 'whatsapp' });
});

test('what is not known is left out', () => {
  const { queueName: _q, agent: _a, waitSeconds: _w, ...known } = interactionWith({ recordings: [] });
  const event = mappingOf().event({ ...known, talkSeconds: Number.NaN }, 'task.created');
  expect(Object.keys(event?.properties ?? {})).toEqual([
    ...['channel', 'direction', 'hold_seconds', 'wrap_up_seconds', 'outcome', 'custody_id'],
  ]);
});

test.each(['+34600111222', 'ada@example.com', 'call 600111222', 'x'.repeat(33), '', ' Queue\nof', 'IVR <b>'])(
  'a phase such as %j is none',
  (abandonedPhase) => expect(of({ abandonedPhase })).not.toHaveProperty('abandoned_phase'),
);

test.each(['IVR', 'Queue', 'BOT', 'Ringing', 'Post-call survey'])('%s is a phase', (abandonedPhase) =>
  expect(of({ abandonedPhase })).toMatchObject({ abandoned_phase: abandonedPhase }),
);

test('the properties of any number of recordings fit into an event', () => {
  const recordings = Array.from(
    { length: 5_000 },
    (_, at) => `RE${String(at).padStart(32, '0')}` as RecordingSid,
  );
  expect(JSON.stringify(of({ recordings })).length).toBeLessThan(50_000);
});
