import { sandbox } from './api.js';
import { byId, h } from './dom.js';
import { field, onSubmit, select, tick } from './forms.js';

/** The form by which a customer writes. */
export function newTextForm() {
  const form = byId('new-text');
  form.append(
    h(
      'div',
      { className: 'pair' },
      field(
        'Channel',
        select('channel', [
          ['webchat', 'web chat'],
          ['sms', 'SMS'],
          ['whatsapp', 'WhatsApp'],
        ]),
      ),
      field(
        'Survey’s answer',
        select('csat', [['', 'none'], ...[5, 4, 3, 2, 1].map((score) => [String(score), String(score)])]),
      ),
    ),
    tick('abandoned', 'The customer leaves before an agent answers'),
    h('div', { className: 'row' }, h('button', { className: 'primary', type: 'submit' }, 'Write')),
    h('p', { className: 'form-status', role: 'status' }),
  );
  onSubmit(form, 'Writing …', async (data) => {
    const csat = data.get('csat');
    const abandoned = data.has('abandoned');
    await sandbox.text({
      channel: data.get('channel'),
      abandoned,
      ...(csat === '' || abandoned ? {} : { csat: Number(csat) }),
    });
    return abandoned ? 'Written, and left.' : 'Written, answered, and closed.';
  });
}
