import { bytes, clock, h, show } from './dom.js';

const steps = [
  ['rang', 'The customer’s call reached Flex and became a task.'],
  ['accepted', 'An agent accepted, with recording on.'],
  ['ended', 'The call is over; Twilio holds the recording.'],
  ['callback', 'Twilio has told the Function, signed.'],
  ['registered', 'The host has asked Twilio whose call it was.'],
  ['linked', 'The task says where the recording can be heard.'],
  ['sealed', 'A sealed copy lies in the bucket.'],
  [
    'verified',
    'The copy was opened again: sound audio of the right length. It is proven once the host itself has compared it with Twilio’s.',
  ],
];

/** Which event reaches which step. */
const reached = {
  'call.rang': 'rang',
  'call.accepted': 'accepted',
  'call.ended': 'ended',
  'callback.delivered': 'callback',
  'recording.registered': 'registered',
  'recording.linked': 'linked',
  'recording.sealed': 'sealed',
  'recording.verified': 'verified',
  'recording.proven': 'verified',
};

const stumbled = {
  'callback.failed': [
    'callback',
    'Twilio’s callback was not taken; Twilio sends it again, five times at most.',
  ],
  'recording.unlinked': [
    'linked',
    'Not linked: the task is gone, or cannot be changed. The recording can still be played.',
  ],
  'recording.refused': [
    'linked',
    'Not linked: Twilio does not confirm whose call this is. An alarm was raised.',
  ],
  'recording.absent': ['sealed', 'Twilio has no audio of this call.'],
  'recording.rejected': [
    'verified',
    'The copy is not what Twilio holds; it was thrown away and is made again.',
  ],
  'recording.failed': ['sealed', 'The recording could not be taken into custody. An alarm was raised.'],
};

/**
 * Where one recording stands: what its events say, and what can be seen without them.
 * @returns {{name: string, text: string, state: 'done' | 'now' | 'ahead' | 'trouble', at?: string, detail?: string}[]}
 */
export function standing(events, seen) {
  const known = new Map();
  for (const event of events) {
    const name = reached[event.event];
    if (name) known.set(name, { state: 'done', at: event.at ?? event.time, detail: detailOf(event) });
    const [stumbledAt, text] = stumbled[event.event] ?? [];
    const isDone = (step) => known.get(step)?.state === 'done';
    // A copy that is there and is given up has failed at the next step.
    const step = stumbledAt === 'sealed' && isDone('sealed') ? 'verified' : stumbledAt;
    if (step && !isDone(step)) {
      const detail = event.reason ?? event.status ?? (event.error ? 'no answer' : undefined);
      known.set(step, { state: 'trouble', at: event.at, text, detail });
    }
    if (event.event === 'recording.leased' && !isDone('sealed')) {
      known.set('sealed', { state: 'now', detail: `by the ${event.by}` });
    }
    if (event.event === 'recording.progress' && known.get('sealed')?.state !== 'done') {
      const share = event.total ? event.done / event.total : undefined;
      const detail =
        share === undefined ? bytes(event.done) : `${Math.floor(share * 100)} % of ${bytes(event.total)}`;
      known.set('sealed', { state: 'now', detail, share });
    }
  }
  for (const name of seen) if (known.get(name)?.state !== 'done') known.set(name, { state: 'done' });
  const last = steps.findLastIndex(([name]) => known.get(name)?.state === 'done');
  // What lies before a step that is done was done too, whether or not this page was there to hear of it.
  return steps.map(([name, text], index) => {
    const found = known.get(name);
    if (found) return { name, text, ...found };
    const parallel = name === 'linked';
    if (index < last && !parallel) return { name, text, state: 'done' };
    return { name, text, state: index === last + 1 || index < last ? 'now' : 'ahead' };
  });
}

function detailOf(event) {
  if (event.event === 'recording.sealed' && event.by) return `by the ${event.by}`;
  if (event.event === 'callback.delivered' && event.status) return `answered ${event.status}`;
  if (event.event === 'recording.verified') return event.proven ? 'proven' : 'not proven yet';
  if (event.event === 'recording.proven') return 'proven';
  return undefined;
}

export function showSteps(list, note, standings) {
  show(list, JSON.stringify(standings), () =>
    standings.map((step) =>
      h(
        'li',
        {
          className: step.state,
          title: step.text,
          'aria-current': step.state === 'now' ? 'step' : undefined,
        },
        h('span', { className: 'step-name' }, step.name),
        h('span', { className: 'visually-hidden' }, ` ${spoken[step.state]}. `),
        h('span', { className: 'step-detail' }, step.at ? clock(step.at) : ''),
        step.detail ? h('span', { className: 'step-detail' }, String(step.detail)) : undefined,
        Number.isFinite(step.share)
          ? h('progress', { max: 1, value: step.share, ariaLabel: 'copied' })
          : undefined,
      ),
    ),
  );
  const telling =
    standings.find((step) => step.state === 'trouble') ??
    standings.findLast((step) => step.state === 'done') ??
    standings[0];
  show(note, telling.text, () => telling.text);
  note.dataset.state = telling.state;
}

const spoken = { done: 'done', now: 'under way', ahead: 'not yet', trouble: 'in trouble' };
