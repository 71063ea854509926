import { randomUUID } from 'node:crypto';
import { signRequest } from '@flex-custody/vault';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { PlacedCall } from '../../../sandbox/src/calls.ts';
import type { Stack } from '../../../sandbox/src/stack/index.ts';
import type { Attack } from '../scene.ts';

/** What an agent, or somebody with the Functions' secret, wants of calls that are not theirs. */
let stack: Stack;

const world = () => stack.sandbox.twilio.world;

async function control<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`${stack.urls.sandbox}/sandbox/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as T;
}
const place = (options: object = {}) =>
  control<PlacedCall>('calls', { seconds: 2, callback: false, ...options });
const tokenOf = async (worker: string, roles = ['agent']) =>
  (await control<{ token: string }>('tokens', { roles, worker_sid: worker })).token;

/** The victim's call, and the worker who attacks it. */
async function cast() {
  const victim = await place();
  const [agent] = victim.reservations;
  const attacker = [...world().workers.keys()].find((worker) => worker !== agent!.worker)!;
  return { victim, agent: agent!, attacker, recording: victim.recordings[0]! };
}

/** As it was before its end. */
function goLive(call: PlacedCall): void {
  const { calls, conferences, recordings, reservations, tasks } = world();
  const conference = conferences.get(call.conference)!;
  conference.status = 'in-progress';
  for (const participant of conference.participants) {
    participant.status = 'connected';
    Object.assign(calls.get(participant.callSid)!, { status: 'in-progress', endedAt: null });
  }
  for (const sid of call.recordings) recordings.get(sid)!.status = 'in-progress';
  for (const { reservation } of call.reservations) reservations.get(reservation)!.status = 'accepted';
  tasks.get(call.task)!.status = 'assigned';
}

/** A webhook of Twilio about `form`, to the URL that a browser gave it. */
async function webhook(query: string, form: Record<string, string>): Promise<number> {
  const path = `/recording-status-callback?${query}`;
  const address = stack.urls.functions;
  const signature = getExpectedTwilioSignature(world().account.authToken, `${address}${path}`, form);
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    headers: { 'x-twilio-signature': signature },
    body: new URLSearchParams(form),
  });
  return response.status;
}

/** Delivers the recording's callback as if these were the hints of its URL. */
async function announce(recording: string, hints: Record<string, string>): Promise<void> {
  const found = world().recordings.get(recording)!;
  found.callback = `/recording-status-callback?${new URLSearchParams(hints)}#rc=5&rp=all`;
  await control('callbacks', { recording });
}

const event = (name: string, recording: string) =>
  stack.events.until(
    (one) => one.event === `recording.${name}` && one.recording === recording,
    `${recording} ${name}`,
    90_000,
  );

async function askFor(worker: string, query: string): Promise<{ status: number; text: string }> {
  const authorization = `Basic ${Buffer.from(`token:${await tokenOf(worker)}`).toString('base64')}`;
  const response = await fetch(`${stack.urls.server}/url-provider?${query}`, { headers: { authorization } });
  return { status: response.status, text: await response.text() };
}

const ask = async (worker: string, recording: string): Promise<number> =>
  (await askFor(worker, `recording=${recording}`)).status;

const functionOf = async (name: string, form: Record<string, string>) => {
  const response = await fetch(`${stack.urls.functions}/${name}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const text = await response.text();
  return { status: response.status, text };
};

export const authority: readonly Attack[] = [
  {
    wants:
      'to hear a colleague’s call: as a worker whose attributes name the colleague, by hints of one’s own',
    async run(scene) {
      stack = scene.stack;
      const { agent, attacker, recording } = await cast();
      const own = await place({ worker: attacker });
      const forged = { taskSid: own.task, reservationSid: own.reservations[0]!.reservation };
      world().workers.get(attacker)!.attributes = JSON.stringify({ contact_uri: `client:${agent.identity}` });
      await announce(recording, forged);
      await event('refused', recording);
      expect(await ask(attacker, recording)).toBe(403);
    },
  },

  {
    wants:
      'to hear a colleague’s call, or to learn of it: by the reservation, before and after it is recorded',
    async run(scene) {
      stack = scene.stack;
      const { victim, agent, attacker, recording } = await cast();
      const unknown = await askFor(attacker, `reservation=WR${'9'.repeat(32)}`);
      expect(unknown.status).toBe(403);
      expect(await askFor(attacker, `reservation=${agent.reservation}`)).toEqual(unknown);
      await announce(recording, { taskSid: victim.task, reservationSid: agent.reservation });
      await event('linked', recording);
      expect((await askFor(agent.worker, `reservation=${agent.reservation}`)).status).toBe(200);
      expect(await askFor(attacker, `reservation=${agent.reservation}`)).toEqual(unknown);
      for (const malformed of [`WR${'9'.repeat(31)}`, `${agent.reservation}'--`, recording, ''])
        expect((await askFor(attacker, `reservation=${encodeURIComponent(malformed)}`)).status).toBe(400);
    },
  },

  {
    wants: 'to hide a colleague’s recording from its task: by speaking first',
    async run(scene) {
      stack = scene.stack;
      const { victim, agent, attacker, recording } = await cast();
      const own = await place({ worker: attacker });
      await announce(recording, { taskSid: own.task, reservationSid: own.reservations[0]!.reservation });
      await event('refused', recording);
      await announce(recording, { taskSid: victim.task, reservationSid: agent.reservation });
      await event('linked', recording);
      expect(await ask(agent.worker, recording)).toBe(200);
      expect(await ask(attacker, recording)).toBe(403);
    },
  },

  {
    wants: 'to register a recording by a webhook about something else, its facts in the query',
    async run(scene) {
      stack = scene.stack;
      const { victim, recording } = await cast();
      const { accountSid } = world().account;
      const form = {
        AccountSid: accountSid,
        ConferenceSid: victim.conference,
        StatusCallbackEvent: 'conference-end',
      };
      const facts = {
        RecordingSid: recording,
        RecordingStatus: 'completed',
        RecordingUrl: 'https://evil.example',
      };
      for (const query of [facts, { taskSid: victim.task, ...facts }, { ...facts, AccountSid: accountSid }])
        expect(await webhook(new URLSearchParams(query).toString(), form)).toBe(400);
      const ours = stack.events
        .all()
        .filter((one) => one.source !== 'sandbox' && one.recording === recording);
      expect(ours).toEqual([]);
    },
  },

  {
    wants: 'to learn which recordings a colleague’s are: by pausing a call in which one takes part',
    async run(scene) {
      stack = scene.stack;
      const { victim, agent } = await cast();
      goLive(victim);
      const form = {
        Token: await tokenOf(agent.worker),
        taskSid: victim.task,
        reservationSid: agent.reservation,
      };
      const { status, text } = await functionOf('pause-recording', form);
      expect([status, JSON.parse(text)]).toMatchObject([200, { recordings: { legs: 1, conference: 0 } }]);
      expect(text).not.toMatch(/RE[0-9a-f]{32}/);
    },
  },

  {
    wants: 'to leave calls unrecorded, or card numbers recorded: with the Functions’ secret and no token',
    async run(scene) {
      stack = scene.stack;
      const { victim, attacker } = await cast();
      goLive(victim);
      const statuses = () => victim.recordings.map((sid) => world().recordings.get(sid)!.status);
      const say = async (kind: string, more: object) => {
        const report = { id: randomUUID(), kind, at: Date.now(), taskSid: victim.task, ...more };
        const body = JSON.stringify({ ...report, conferenceSid: victim.conference, recordings: [] });
        const secret = stack.hostEnvironment['CUSTODY_FUNCTION_SECRETS'] ?? '';
        const signature = signRequest(secret, 'POST', '/reports', body, Date.now());
        const headers = { 'content-type': 'application/json', 'x-custody-signature': signature };
        return (await fetch(`${stack.urls.server}/reports`, { method: 'POST', headers, body })).status;
      };
      const token = await tokenOf(attacker);
      expect([await say('paused', {}), await say('paused', { token })]).toEqual([401, 403]);
      expect(statuses()).toEqual(['in-progress']);
      for (const sid of victim.recordings) world().recordings.get(sid)!.status = 'paused';
      expect([await say('resumed', {}), await say('resumed', { token })]).toEqual([401, 403]);
      expect(statuses()).toEqual(['paused']);
      const consent = { purpose: 'voice-enrolment', decision: 'given' };
      expect([await say('consent', consent), await say('consent', { ...consent, token })]).toEqual([
        401, 403,
      ]);
    },
  },

  {
    wants: 'to have a caller’s voice without the caller’s consent: past the plugin that asks',
    async run(scene) {
      stack = scene.stack;
      const { victim, agent, attacker } = await cast();
      goLive(victim);
      const named = { callSid: victim.customerCall, taskSid: victim.task };
      const form = { Token: await tokenOf(agent.worker), ...named };
      const codes = async (more: Record<string, string>) => {
        const answers = [];
        for (const name of ['startStreamAudio', 'getTemporaryToken']) {
          const { status, text } = await functionOf(name, { ...form, ...more });
          answers.push([status, (JSON.parse(text) as { error?: string }).error]);
        }
        return answers;
      };
      const both = (status: number, error: string) => [
        [status, error],
        [status, error],
      ];
      expect(await codes({})).toEqual(both(403, 'consent_missing'));
      expect(await codes({ Token: await tokenOf(attacker) })).toEqual(both(403, 'not_your_call'));
      expect(await codes({ Token: await tokenOf('', ['flex.user']) })).toEqual(both(403, 'not_your_call'));
      expect([...world().streams.values()].filter(({ callSid }) => callSid === victim.customerCall)).toEqual(
        [],
      );
    },
  },
];
