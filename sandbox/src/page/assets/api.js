/** Asks the sandbox; the error of a refused request says what the sandbox said. */
async function ask(path, init) {
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new Error('The sandbox does not answer. Is it still running?');
  }
  const text = await response.text();
  let body;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new Error(`The sandbox answered ${response.status} with something other than JSON.`);
  }
  if (!response.ok)
    throw new Error(body?.message ?? body?.error ?? `The sandbox answered ${response.status}.`);
  return body;
}

function post(path, body) {
  return ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export const sandbox = {
  settings: () => ask('/page/settings.json'),
  calls: async () => (await ask('/sandbox/calls')).calls ?? [],
  workers: async () => (await ask('/sandbox/workers')).workers ?? [],
  recording: (sid) => ask(`/sandbox/recordings/${sid}`),
  task: (sid) => ask(`/sandbox/tasks/${sid}`),
  bucket: () => ask('/sandbox/bucket'),
  call: (wanted) => post('/sandbox/calls', wanted),
  ring: () => post('/sandbox/live/calls', {}),
  live: async () => (await ask('/sandbox/live/calls')).calls ?? [],
  act: (task, action) => post(`/sandbox/live/calls/${task}`, { action }),
  story: (wanted) => post('/sandbox/stories', wanted),
  text: (wanted) => post('/sandbox/texts', wanted),
  brevo: () => ask('/sandbox/brevo/received'),
  recorder: () => ask('/sandbox/recorder'),
  token: (wanted) => post('/sandbox/tokens', wanted),
  fault: (wanted) => post('/sandbox/faults', wanted),
  clearFaults: () => ask('/sandbox/faults', { method: 'DELETE' }),
  upload: (file) =>
    ask('/sandbox/media', { method: 'POST', headers: { 'content-type': 'audio/wav' }, body: file }),
};

/**
 * Follows the sandbox's events, for as long as the page is open: the browser's EventSource reconnects automatically.
 * @param {(event: object) => void} onEvent
 * @param {(state: 'live' | 'lost') => void} onState
 */
export function follow(onEvent, onState) {
  const source = new EventSource('/sandbox/events');
  source.onopen = () => onState('live');
  source.onerror = () => onState('lost');
  source.onmessage = (message) => {
    try {
      onEvent(JSON.parse(message.data));
    } catch {
      // A line that is not an event is nothing to show.
    }
  };
}
