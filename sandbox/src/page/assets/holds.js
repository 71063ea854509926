import { bytes, clock, duration, h, show, sid } from './dom.js';

/** What Twilio would answer about this recording now, and the result of each callback. */
export function showTwilio(pane, held) {
  show(pane, JSON.stringify(held), () => {
    if (held.error) return problem(held.error);
    const { deliveries = [] } = held.value;
    return [
      h(
        'dl',
        {},
        twilioFacts(held.value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
      ),
      h('h3', {}, 'Callbacks sent'),
      deliveries.length === 0
        ? h('p', { className: 'empty' }, 'None yet.')
        : h('ul', { className: 'plain' }, deliveries.map(delivery)),
    ];
  });
}

function delivery(sent, index) {
  const failed = !(sent.status >= 200 && sent.status < 300);
  return h(
    'li',
    {},
    h('span', { className: failed ? 'badge bad' : 'badge good' }, String(sent.status ?? 'no answer')),
    ` ${clock(sent.at)} · attempt ${sent.attempt ?? index + 1}${sent.error ? ` · ${sent.error}` : ''}`,
  );
}

function twilioFacts({ recording = {}, media = {} }) {
  const served = [2, 1].flatMap((channels) => {
    const file = media[channels];
    if (!file) return [];
    return [
      [channels === 2 ? 'two channels' : 'one channel', bytes(file.bytes)],
      ['SHA-256', h('abbr', { className: 'sid', title: file.sha256 }, `${file.sha256.slice(0, 14)}…`)],
    ];
  });
  return [
    ['recording', sid(recording.sid)],
    ['status', recording.status],
    ['source', recording.source],
    ['call', sid(recording.call_sid)],
    ['conference', sid(recording.conference_sid)],
    ['channels', recording.channels],
    ['duration', duration(recording.duration)],
    ['began', clock(recording.start_time)],
    ...served,
  ].filter(([, value]) => value !== '' && value !== undefined && value !== null);
}

/** The task's attributes, with the entries that link this recording highlighted. */
export function showTask(pane, held, recording) {
  show(pane, JSON.stringify([held, recording]), () => {
    if (held.error) return problem(held.error);
    const attributes = attributesOf(held.value);
    const linked = mediaEntries(attributes).some((entry) => names(entry, recording));
    return [
      h(
        'p',
        { className: 'hint' },
        linked
          ? 'Highlighted: the link Flex Insights uses. It contains no secret.'
          : 'The task has no link to this recording yet.',
      ),
      h(
        'pre',
        { className: 'json', tabIndex: 0, ariaLabel: 'Task attributes' },
        json(attributes, recording, ''),
      ),
    ];
  });
  const [text, mark] = [pane.querySelector('pre'), pane.querySelector('mark')];
  if (!mark || text.dataset.marked === recording) return;
  text.dataset.marked = recording;
  text.scrollTop = mark.offsetTop - text.offsetTop - 40;
}

export function attributesOf(task) {
  const attributes = task?.attributes ?? {};
  if (typeof attributes !== 'string') return attributes;
  try {
    return JSON.parse(attributes);
  } catch {
    return {};
  }
}

/** The media entries of a task, at task and at reservation level. */
export function mediaEntries(attributes) {
  const reservations = Object.values(attributes.reservation_attributes ?? {});
  return [attributes.conversations, ...reservations].flatMap((level) => level?.media ?? []);
}

export function names(entry, recording) {
  return entry !== null && typeof entry === 'object' && String(entry.url_provider).includes(recording);
}

function json(value, recording, indent) {
  if (value === null || typeof value !== 'object') {
    return [h('span', { className: typeof value === 'string' ? 'text' : 'atom' }, JSON.stringify(value))];
  }
  const inner = `${indent}  `;
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return [list ? '[]' : '{}'];
  const lines = entries.flatMap(([name, child], index) => [
    inner,
    ...(list ? [] : [h('span', { className: 'key' }, JSON.stringify(name)), ': ']),
    ...json(child, recording, inner),
    index === entries.length - 1 ? '\n' : ',\n',
  ]);
  const whole = [list ? '[\n' : '{\n', ...lines, indent, list ? ']' : '}'];
  return names(value, recording) ? [h('mark', {}, ...whole)] : whole;
}

/** The object of this recording: its size, and its first bytes as a reader of the bucket without the key sees them. */
export function showBucket(pane, held, recording) {
  const object = held.value?.objects?.find(({ key }) => key.endsWith(`/${recording}`));
  const uploads = (held.value?.uploads ?? []).filter(({ key }) => key.endsWith(`/${recording}`));
  show(pane, JSON.stringify([held.error, object, uploads]), () => {
    if (held.error) return problem(held.error);
    if (!object) {
      return h(
        'p',
        { className: 'empty' },
        uploads.length > 0
          ? 'The encrypted copy is being uploaded. The object appears with its last byte.'
          : 'Nothing yet.',
      );
    }
    return [
      h(
        'dl',
        {},
        [
          ['key', object.key],
          ['size', `${bytes(object.bytes)} (${object.bytes.toLocaleString('en')} bytes)`],
          ['stored', clock(object.lastModified)],
          ['version', object.versionId],
        ]
          .filter(([, value]) => value)
          .map(([name, value]) => [h('dt', {}, name), h('dd', {}, h('span', { className: 'break' }, value))]),
      ),
      ...(object.head ? dump(object.head) : []),
    ];
  });
}

function dump(hex) {
  const octets = hex.match(/../g) ?? [];
  const rows = [];
  for (let at = 0; at < octets.length; at += 8) {
    const row = octets.slice(at, at + 8);
    const text = row.map((octet) => {
      const code = Number.parseInt(octet, 16);
      return code > 31 && code < 127 ? String.fromCharCode(code) : '·';
    });
    rows.push(`${at.toString(16).padStart(4, '0')}  ${row.join(' ').padEnd(23)}  ${text.join('')}`);
  }
  return [
    h(
      'p',
      { className: 'hint' },
      'The first bytes as stored: a header that names the recording and the key. The audio after it cannot be read without the private key.',
    ),
    h('pre', { className: 'hex', tabIndex: 0, ariaLabel: 'First stored bytes' }, rows.join('\n')),
  ];
}

export function problem(message) {
  return h('p', { className: 'problem' }, message);
}
