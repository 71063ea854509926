import { sandbox } from './api.js';
import { byId, duration, h, person } from './dom.js';

/** The form that makes calls. `onCall` gets the answer of the sandbox. */
export function newCallForm(onCall) {
  const form = byId('new-call');
  form.append(
    h(
      'div',
      { className: 'pair' },
      field(
        'Length, seconds',
        h('input', { name: 'seconds', type: 'number', min: 1, max: 14400, value: 30, required: true }),
      ),
      field(
        'Direction',
        select('direction', [
          ['inbound', 'inbound'],
          ['outbound', 'outbound'],
        ]),
      ),
    ),
    tick('transfer', 'Transferred to a second agent'),
    tick('conference', 'Record the whole conference (Flex’s own recording) instead of the agent’s leg'),
    field(
      'Own audio',
      h('input', { name: 'wav', type: 'file', accept: '.wav,audio/wav' }),
      'WAV, 8 kHz, 16 bit, one or two channels. The call is as long as the file. Without a file the sandbox plays a dialogue of two speakers.',
    ),
    h('div', { className: 'row' }, h('button', { className: 'primary', type: 'submit' }, 'Make the call')),
    h('p', { className: 'form-status', role: 'status' }),
  );
  onSubmit(form, 'Ringing …', async (data) => {
    const file = data.get('wav');
    const { media } = file?.size > 0 ? await sandbox.upload(file) : {};
    const call = await sandbox.call({
      // A person's own audio is played as long as it is.
      ...(media ? { media } : { seconds: Number(data.get('seconds')) }),
      direction: data.get('direction'),
      transfer: data.has('transfer'),
      conference: data.has('conference'),
    });
    onCall(call);
    return '';
  });
}

const targets = [
  ['media', 'Twilio’s media'],
  ['api', 'Twilio’s REST API'],
  ['taskrouter', 'TaskRouter'],
  ['iam', 'Twilio’s token check'],
  ['s3', 'the bucket'],
];
/** What a fault does, and what its value means: undefined where it has none. */
const kinds = [
  ['status', 'answers with an error', 'Status', 503],
  ['cut', 'is cut off', 'After bytes', ''],
  ['stall', 'stops sending', 'After bytes', ''],
  ['short', 'ends too early', 'After bytes', ''],
  ['slow', 'is slow', 'Bytes a second', 64000],
  ['html', 'answers with a web page'],
  ['empty', 'answers with an empty body'],
];

/** The form that sets faults of the outside world. */
export function faultsForm() {
  const form = byId('faults');
  const kind = select('kind', kinds);
  const value = h('input', { name: 'value', type: 'number', min: 0, value: 503, placeholder: 'half of it' });
  const valueField = field('Status', value);
  const clear = h('button', { type: 'button' }, 'End all faults');
  kind.addEventListener('change', () => {
    const [, , label, usual] = kinds.find(([name]) => name === kind.value);
    valueField.hidden = label === undefined;
    valueField.firstChild.textContent = label ?? '';
    value.value = usual ?? '';
  });
  form.append(
    h('p', { className: 'hint' }, 'Make Twilio or the bucket fail, then make a call and see what happens.'),
    field('What', select('target', targets)),
    field('How', kind),
    h(
      'div',
      { className: 'pair' },
      field(
        'Times (0: always)',
        h('input', { name: 'times', type: 'number', min: 0, max: 100, value: 1, required: true }),
      ),
      valueField,
    ),
    h('div', { className: 'row' }, h('button', { type: 'submit', className: 'primary' }, 'Set fault'), clear),
    h('p', { className: 'form-status', role: 'status' }),
  );
  onSubmit(form, 'Setting …', async (data) => {
    const times = Number(data.get('times'));
    await sandbox.fault({
      target: data.get('target'),
      kind: data.get('kind'),
      times,
      ...(data.get('value') === '' ? {} : { value: Number(data.get('value')) }),
    });
    if (times === 0) return 'Set, until you end it.';
    return times === 1 ? 'Set, for the next request.' : `Set, for the next ${times} requests.`;
  });
  clear.addEventListener('click', () =>
    report(form, 'Ending …', async () => {
      await sandbox.clearFaults();
      return 'All faults ended.';
    }),
  );
}

export function onSubmit(form, meanwhile, act) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    report(form, meanwhile, () => act(new FormData(form)));
  });
}

export async function report(form, meanwhile, act) {
  const status = form.querySelector('.form-status');
  const buttons = [...form.querySelectorAll('button')];
  const set = (state, text) => {
    status.dataset.state = state;
    status.textContent = text;
  };
  set('waiting', meanwhile);
  for (const button of buttons) button.disabled = true;
  try {
    set('good', await act());
  } catch (error) {
    set('bad', error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

export function field(label, input, hint) {
  return h(
    'label',
    { className: 'field' },
    h('span', {}, label),
    input,
    hint ? h('small', {}, hint) : undefined,
  );
}

export function tick(name, label) {
  return h('label', { className: 'tick' }, h('input', { type: 'checkbox', name }), h('span', {}, label));
}

export function select(name, options) {
  return h(
    'select',
    { name },
    options.map(([value, label]) => h('option', { value }, label)),
  );
}

/** One line that identifies a call. */
export function describe(call) {
  const agents = (call.reservations ?? []).map(({ identity }) => person(identity)).join(' → ');
  const direction = call.direction === 'outbound' ? 'Outbound' : 'Inbound';
  return { title: `${direction}, ${duration(call.seconds)}`, agents };
}
