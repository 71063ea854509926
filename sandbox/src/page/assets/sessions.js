import { sandbox } from './api.js';
import { byId, clock, duration, h, person, show, sid } from './dom.js';
import { report } from './forms.js';
import { problem } from './holds.js';

const kinds = { voice: 'call', text: 'conversation', work: 'other work' };

/** Longer than the 30 minutes after which a hold raises an alarm. */
const heldSeconds = 31 * 60;

/** What the host knows of live calls. Returns the function that asks and shows it; it takes the workers, for their names. */
export function sessionsCard() {
  const form = byId('held-call');
  form.append(
    h('button', { type: 'submit' }, 'Call on hold for 31 minutes'),
    h('small', {}, 'A call that began 32 minutes ago, by the events that Twilio would have sent of it.'),
    h('p', { className: 'form-status', role: 'status' }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    report(form, 'Calling …', async () => {
      await sandbox.story({ story: 'hold', holdSeconds: heldSeconds, open: true });
      return '';
    });
  });

  let asking = false;
  return async (workers) => {
    if (asking) return;
    asking = true;
    try {
      const names = new Map(workers.map(({ worker, identity }) => [worker, person(identity)]));
      showRecorder(await sandbox.recorder(), names);
    } catch (error) {
      show(byId('sessions'), error.message, () => problem(error.message));
    } finally {
      asking = false;
    }
  };
}

function showRecorder({ unreachable, sessions, alarms }, names) {
  const pane = byId('sessions');
  if (unreachable) {
    show(pane, 'unreachable', () => problem('The host does not answer. This page asks it again.'));
    return;
  }
  show(byId('alarms'), JSON.stringify(alarms), () => alarms.map(alarm));
  show(pane, JSON.stringify([sessions, names.size]), () =>
    sessions.length === 0
      ? h('p', { className: 'empty' }, 'No call is live. Ring the Flex desktop, or begin one here.')
      : table(sessions, names),
  );
}

function alarm({ code, detail, lastAt }) {
  const words = detail.split(/([A-Z]{2}[0-9a-f]{32})/).map((word, index) => (index % 2 ? sid(word) : word));
  return h('p', { className: 'alarm' }, h('strong', {}, code), ' ', words, ' ', h('span', {}, clock(lastAt)));
}

const columns = ['Session', 'Queue', 'Agent', 'Since', 'Wait', 'Holds', ''];

function table(sessions, names) {
  return h(
    'table',
    { className: 'sessions' },
    h('caption', { className: 'visually-hidden' }, 'Live sessions'),
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        columns.map((name) => h('th', { scope: 'col' }, name)),
      ),
    ),
    h(
      'tbody',
      {},
      sessions.map((one) =>
        h(
          'tr',
          {},
          h('td', {}, `${kinds[one.kind] ?? one.kind} `, sid(one.session)),
          h('td', {}, one.queue ?? ''),
          h('td', {}, names.get(one.agent) ?? one.agent ?? ''),
          h('td', {}, clock(one.openedAt)),
          h('td', {}, one.wait === null ? 'waits' : duration(one.wait)),
          h(
            'td',
            {},
            String(one.holds),
            one.onHoldAt ? h('span', { className: 'held' }, `on hold since ${clock(one.onHoldAt)}`) : '',
          ),
          h('td', {}, one.kind === 'voice' && one.session.startsWith('WT') ? hangUp(one) : ''),
        ),
      ),
    ),
  );
}

function hangUp({ session }) {
  return h(
    'button',
    {
      type: 'button',
      onclick: () =>
        report(byId('held-call'), 'Hanging up …', async () => {
          await sandbox.act(session, 'customer-hangup');
          return '';
        }),
    },
    'Hang up',
  );
}
