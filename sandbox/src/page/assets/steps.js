import { bytes, clock, h, show } from './dom.js';

const steps = [
  ['rang', 'The customer’s call reached Flex and became a task.'],
  ['accepted', 'An agent accepted, with recording on.'],
  ['ended', 'The call is over; Twilio holds the recording.'],
  ['callback', 'Twilio has called the Function; its signature is right.'],
  ['registered', 'The host has asked Twilio’s API whose call it was.'],
  ['linked', 'Playback link written to the task.'],
  ['sealed', 'The encrypted copy is in the bucket.'],
  [
    'verified',
    'The host has read the copy back: valid audio of the right length. It is proven once the host has compared it with Twilio’s media.',
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
  'callback.failed': ['callback', 'Twilio’s callback failed. Twilio sends it again, five times at most.'],
  'recording.unlinked': [
    'linked',
    'Not linked: the task no longer exists, or cannot be changed. The recording can still be played.',
  ],
  'recording.refused': [
    'linked',
    'Not linked: Twilio does not confirm whose call this is. An alarm was raised.',
  ],
  'recording.absent': ['sealed', 'Twilio has no audio of this call.'],
  'recording.rejected': ['verified', 'The copy differs from Twilio’s recording. The host copies it again.'],
  'recording.failed': ['sealed', 'The recording could not be copied. An alarm was raised.'],
};

/**
 * State of each step of one recording, from its events and from what the sandbox shows without them.
 * @returns {{name: string, text: string, state: 'done' | 'now' | 'ahead' | 'trouble', at?: string, detail?: string}[]}
 */
export function standing(events, seen) {
  const known = new Map();
  for (const event of events) {
    const name = reached[event.event];
    if (name) known.set(name, { state: 'done', at: event.at ?? event.time, detail: detailOf(event) });
    const [stumbledAt, text] = stumbled[event.event] ?? [];
    const isDone = (step) => known.get(step)?.state === 'done';
    // A copy that exists, of a recording that has failed: the next step is the one that failed.
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
  // The steps before one that is done are done too, also where this page received no event of them.
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

const spoken = { done: 'done', now: 'under way', ahead: 'not yet', trouble: 'failed' };
