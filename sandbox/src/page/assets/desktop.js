import { sandbox } from './api.js';
import { byId, h } from './dom.js';
import { report } from './forms.js';

const statusTexts = {
  reserved: 'The call is offered to the agent. It rings where the desktop is open.',
  assigned: 'The agent talks with the customer.',
  wrapping: 'The call is over. The agent wraps up.',
};

/** The customer's side of the Flex desktop: calls, and hangs up. Returns the function that each event is passed to. */
export function desktopForm() {
  const form = byId('desktop');
  const ring = h('button', { className: 'primary', type: 'submit' }, 'Ring');
  const end = h('button', { type: 'button' }, 'Customer hangs up');
  const status = h('p', { className: 'form-status', role: 'status' });
  form.append(h('div', { className: 'row' }, ring, end), status);
  let task;

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    await report(form, 'Calling …', async () => {
      ({ task } = await sandbox.ring());
      return statusTexts.reserved;
    });
    look();
  });
  end.addEventListener('click', async () => {
    await report(form, 'Hanging up …', async () => {
      await sandbox.act(task, 'customer-hangup');
      return statusTexts.wrapping;
    });
    look();
  });

  async function look() {
    const live = await sandbox.live().catch(() => []);
    const call = live.find((one) => one.task.sid === task) ?? live.at(-1);
    task = call?.task.sid;
    const over = call === undefined || call.task.status === 'wrapping';
    end.disabled = over;
    ring.disabled = !over;
    if (call) {
      status.dataset.state = 'good';
      status.textContent = statusTexts[call.task.status] ?? '';
    } else if (status.dataset.state === 'good') {
      status.textContent = '';
    }
  }
  look();
  return ({ event }) => {
    if (/^(call|task)\./.test(event)) look();
  };
}
