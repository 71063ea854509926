import { sandbox } from './api.js';
import { byId, duration, h, person, show } from './dom.js';
import { problem } from './holds.js';

/** Of the newest contacts the events are shown at once; of others once a reader opens them. */
const openAtFirst = 2;
const shownContacts = 12;
const shownEvents = 6;

/** What Brevo has received. Returns the function that asks and shows it; it takes the workers, for their names. */
export function brevoCard() {
  /** What a reader opened or closed, by contact. */
  const chosen = new Map();
  let asking = false;
  return async (workers) => {
    if (asking) return;
    asking = true;
    const pane = byId('brevo');
    try {
      const names = new Map(workers.map(({ worker, identity }) => [worker, person(identity)]));
      const { contacts, total } = await sandbox.brevo();
      show(byId('brevo-total'), JSON.stringify(total), () => totalText(total));
      const shown = contacts.slice(0, shownContacts);
      show(pane, JSON.stringify([shown, total.contacts, names.size]), () => {
        if (shown.length === 0)
          return h('p', { className: 'empty' }, 'Nothing yet. Make a call, or write as a customer.');
        const more = total.contacts - shown.length;
        return [
          ...shown.map((one, index) =>
            contactView(one, names, {
              isOpen: chosen.get(one.id) ?? index < openAtFirst,
              onChosen: (isOpen) => chosen.set(one.id, isOpen),
            }),
          ),
          ...(more > 0 ? [h('p', { className: 'hint' }, `and ${many(more, 'earlier contact')}`)] : []),
        ];
      });
    } catch (error) {
      show(pane, error.message, () => problem(error.message));
    } finally {
      asking = false;
    }
  };
}

const many = (count, one) => `${count} ${one}${count === 1 ? '' : 's'}`;
const totalText = ({ contacts, events }) =>
  contacts === 0 ? '' : `${many(contacts, 'contact')}, ${many(events, 'event')}`;

const kinds = { email: 'e-mail', LANDLINE_NUMBER: 'landline' };

function contactView({ id, identifiers, lists, attributes, count, events }, names, { isOpen, onChosen }) {
  const shown = events.slice(0, shownEvents);
  return h(
    'details',
    {
      className: 'contact',
      open: isOpen,
    },
    h(
      'summary',
      // A toggle event would come of what this page opens too.
      { onclick: (event) => onChosen(!event.currentTarget.parentElement.open) },
      identifiers.map(({ kind, value }) =>
        h('span', { className: 'identifier' }, h('small', {}, kinds[kind] ?? kind), ' ', value),
      ),
      lists.map((name) => h('span', { className: 'badge good list' }, name)),
      h('span', { className: 'count' }, many(count, 'event')),
    ),
    count === 0 ? h('p', { className: 'empty' }, 'No event of this contact yet.') : table(id, shown, names),
    count > shown.length ? h('p', { className: 'hint' }, `and ${count - shown.length} earlier`) : undefined,
    attributes.length === 0
      ? undefined
      : h(
          'p',
          { className: 'attributes' },
          attributes.map(({ name, value }) => h('span', {}, h('small', {}, name), ' ', value)),
        ),
  );
}

const columns = ['Event', 'When', 'Channel', 'Agent', 'Wait', 'Talk', 'CSAT'];

function table(id, events, names) {
  return h(
    'table',
    { className: 'received' },
    h('caption', { className: 'visually-hidden' }, `Events of contact ${id}`),
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
      events.map((one) =>
        h(
          'tr',
          {},
          h('td', { className: 'name' }, one.name),
          h('td', { className: 'when' }, when(one.at)),
          cell('Channel', one.channel),
          cell('Agent', names.get(one.agent) ?? one.agent),
          cell('Wait', one.wait === null ? null : duration(one.wait)),
          cell('Talk', one.talk === null ? null : duration(one.talk)),
          cell('CSAT', one.csat),
        ),
      ),
    ),
  );
}

const cell = (label, value) => h('td', { 'data-label': label }, value === null ? '' : String(value));

/** The time of today's, the day and time of others. */
export function when(iso, now = new Date()) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString([], { hour12: false });
  if (at.toDateString() === now.toDateString()) return time;
  return `${at.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${time.slice(0, 5)}`;
}
