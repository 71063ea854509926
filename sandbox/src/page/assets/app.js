import { follow, sandbox } from './api.js';
import { brevoCard } from './brevo.js';
import { desktopForm } from './desktop.js';
import { byId, clock, h, person, show, sid } from './dom.js';
import { describe, faultsForm, newCallForm } from './forms.js';
import { attributesOf, mediaEntries, names, problem, showBucket, showTask, showTwilio } from './holds.js';
import { Listening } from './listen.js';
import { sessionsCard } from './sessions.js';
import { showSteps, standing } from './steps.js';
import { newTextForm } from './texts.js';

const state = {
  calls: [],
  workers: [],
  /** Task SID of the selected call, and which of its recordings. */
  task: undefined,
  recording: undefined,
  /** Every event received about a task or recording, oldest first. */
  events: [],
};
let listening;

newCallForm((call) => {
  select(call.task, call.recordings[0]);
  refresh();
});
newTextForm();
faultsForm();
const passToDesktop = desktopForm();
const showSessions = sessionsCard();
const showBrevo = brevoCard();
start();

async function start() {
  try {
    const { hostUrl } = await sandbox.settings();
    listening = new Listening(hostUrl);
  } catch (error) {
    byId('calls').replaceChildren(problem(error.message));
    setTimeout(start, 2000);
    return;
  }
  follow(hear, (now) => {
    connected(now);
    // The server sends the last events again to each new connection.
    if (now === 'live') state.events = [];
    refresh();
  });
  // No event announces a lifecycle rule's deletion or a call made elsewhere: polling shows them a little later.
  setInterval(refresh, 5000);
  refresh();
}

function connected(now) {
  const connection = byId('connection');
  connection.dataset.state = now;
  connection.textContent = now === 'live' ? 'live' : 'sandbox unreachable';
}

function hear(event) {
  state.events.push(event);
  passToDesktop(event);
  if (state.events.length > 5000) state.events.splice(0, 1000);
  // The host reads what was delivered to it once a second.
  if (event.event === 'events.delivered') setTimeout(() => showSessions(state.workers), 1200);
  if (event.event === 'recording.progress') showSelected();
  else refreshSoon();
}

let soon;
/** Events come in bursts; one refresh shows all of them. */
function refreshSoon() {
  if (soon !== undefined) return;
  soon = setTimeout(() => {
    soon = undefined;
    refresh();
  }, 120);
}

function select(task, recording) {
  state.task = task;
  state.recording = recording;
  state.held = undefined;
}

let looking = false;
let again = false;
async function refresh() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  // The host may be slow to answer, and the calls are the sandbox's.
  void showSessions(state.workers);
  void showBrevo(state.workers);
  try {
    state.calls = await sandbox.calls();
    if (state.workers.length < 2) state.workers = await sandbox.workers();
    const newest = state.calls[0];
    if (state.task === undefined && newest) select(newest.task, newest.recordings[0]);
    showCalls();
    // The first event may be long in coming; that the sandbox answers is known now.
    if (byId('connection').dataset.state === 'waiting') connected('live');
    if (state.task && state.recording) {
      const [task, recording] = [state.task, state.recording];
      const [twilio, held, bucket] = await Promise.all([
        attempt(sandbox.recording(recording)),
        attempt(sandbox.task(task)),
        attempt(sandbox.bucket()),
      ]);
      if (state.recording === recording) state.held = { twilio, task: held, bucket };
    }
    showSelected();
  } catch (error) {
    show(byId('calls'), error.message, () => problem(error.message));
  } finally {
    looking = false;
    if (again) {
      again = false;
      refreshSoon();
    }
  }
}

async function attempt(asked) {
  try {
    return { value: await asked };
  } catch (error) {
    return { error: error.message };
  }
}

function showCalls() {
  const items = state.calls.slice(0, 50).map((call) => ({
    ...describe(call),
    task: call.task,
    recording: call.recordings[0],
    at: clock(call.startedAt),
    selected: call.task === state.task,
  }));
  show(byId('calls'), JSON.stringify(items), () =>
    items.length === 0
      ? h('p', { className: 'empty' }, 'No call yet. Make one above.')
      : h(
          'ul',
          { className: 'calls' },
          items.map((item) => h('li', {}, callButton(item))),
        ),
  );
}

function callButton(item) {
  return h(
    'button',
    {
      type: 'button',
      'aria-current': item.selected ? 'true' : undefined,
      onclick: () => {
        select(item.task, item.recording);
        showCalls();
        refresh();
        byId('calls').querySelector('[aria-current]')?.focus();
      },
    },
    h('strong', {}, item.title),
    h('span', { className: 'when' }, item.at),
    h('span', { className: 'who' }, item.agents),
  );
}

function showSelected() {
  const call = state.calls.find(({ task }) => task === state.task);
  byId('panes').hidden = !call;
  const steps = [byId('steps'), byId('step-note')];
  if (!call) {
    showSteps(...steps, standing([], []));
    show(byId('step-note'), 'none', () => 'Make a call on the left and watch each step of its recording.');
    listening.choose(undefined);
    return;
  }
  const { title, agents } = describe(call);
  show(byId('call-title'), title, () => title);
  show(byId('call-facts'), call.task, () => [
    agents,
    ' · task ',
    sid(call.task),
    ' · customer’s call ',
    sid(call.customerCall),
  ]);
  showTabs(call);
  const held = state.held;
  const concerns = state.events.filter((event) =>
    event.event.startsWith('call.') ? event.task === call.task : event.recording === state.recording,
  );
  showSteps(...steps, standing(concerns, seen(held)));
  const reservation =
    call.reservations.find(({ recording }) => recording === state.recording) ?? call.reservations[0];
  const others = state.workers.filter(
    ({ worker }) => !call.reservations.some((own) => own.worker === worker),
  );
  listening.choose({
    recording: state.recording,
    worker: reservation?.worker,
    otherWorker: others[0]?.worker,
  });
  if (!held) return;
  showTwilio(byId('twilio-holds'), held.twilio);
  showTask(byId('task-holds'), held.task, state.recording);
  showBucket(byId('bucket-holds'), held.bucket, state.recording);
}

/** The steps that the sandbox's state shows without an event. */
function seen(held) {
  if (!held) return ['rang'];
  const objects = held.bucket.value?.objects ?? [];
  const entries = mediaEntries(attributesOf(held.task.value));
  return [
    'rang',
    'accepted',
    'ended',
    ...(objects.some(({ key }) => key.endsWith(`/${state.recording}`)) ? ['sealed'] : []),
    ...(entries.some((entry) => names(entry, state.recording)) ? ['linked'] : []),
  ];
}

function showTabs(call) {
  const tabs = byId('recordings');
  tabs.hidden = call.recordings.length < 2;
  show(tabs, JSON.stringify([call.recordings, state.recording]), () =>
    call.recordings.map((recording, index) => {
      const leg = call.reservations.find((reservation) => reservation.recording === recording);
      return h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(recording === state.recording),
          onclick: () => {
            select(call.task, recording);
            refresh();
          },
        },
        `Recording ${index + 1}${leg ? ` · ${person(leg.identity)}` : ''}`,
      );
    }),
  );
}
