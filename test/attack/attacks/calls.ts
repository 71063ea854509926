import { randomUUID } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { PlacedCall } from '../../../sandbox/src/calls.ts';
import { touchTask } from '../../../sandbox/src/world.ts';
import type { Attack, Scene } from '../scene.ts';

/** A call as it is before its end. */
async function liveCall(scene: Scene): Promise<PlacedCall> {
  const placed = await scene.call({ seconds: 3 });
  const { calls, conferences, recordings, reservations, tasks } = scene.stack.sandbox.twilio.world;
  const conference = conferences.get(placed.conference)!;
  conference.status = 'in-progress';
  for (const participant of conference.participants) {
    participant.status = 'connected';
    Object.assign(calls.get(participant.callSid)!, { status: 'in-progress', endedAt: null });
  }
  for (const { reservation } of placed.reservations) reservations.get(reservation)!.status = 'accepted';
  tasks.get(placed.task)!.status = 'assigned';
  for (const sid of placed.recordings) recordings.get(sid)!.status = 'in-progress';
  return placed;
}

const statusOf = (scene: Scene, recording: string) =>
  scene.stack.sandbox.twilio.world.recordings.get(recording)?.status;

const report = (call: PlacedCall, kind: string) => ({
  id: randomUUID(),
  kind,
  at: Date.now(),
  taskSid: call.task,
  conferenceSid: call.conference,
  recordings: [],
});

export const signedPause: Attack = {
  wants: "to pause and to resume anybody's recording with the Functions' secret alone",
  async run(scene) {
    const call = await liveCall(scene);
    const [sid = ''] = call.recordings;
    for (const kind of ['paused', 'resumed']) {
      const { status } = await scene.signed('/reports', report(call, kind));
      expect([401, 403]).toContain(status);
    }
    // With the token of an agent who is not on the call.
    const other = [...scene.stack.sandbox.twilio.world.workers.keys()].find(
      (worker) => worker !== call.reservations[0]?.worker,
    );
    const token = await scene.token({ roles: ['agent'], worker_sid: other });
    expect((await scene.signed('/reports', { ...report(call, 'paused'), token })).status).toBe(403);
    // The call's own agent may: that the host looks at this call shows that it has dealt with those before.
    const own = await scene.token({ roles: ['agent'], worker_sid: call.reservations[0]?.worker });
    expect(statusOf(scene, sid)).toBe('in-progress');
    expect((await scene.signed('/reports', { ...report(call, 'paused'), token: own })).status).toBe(200);
  },
};

export const colleaguesCall: Attack = {
  wants: "to hear a colleague's call as an own one",
  async run(scene) {
    const victims = await scene.call();
    const [sid = ''] = victims.recordings;
    const victim = victims.reservations[0]!;
    const { world } = scene.stack.sandbox.twilio;
    const attacker = [...world.workers.values()].find(({ sid: worker }) => worker !== victim.worker)!;
    const own = await scene.call({ worker: attacker.sid });
    // Flex lets a worker write own attributes.
    attacker.attributes = JSON.stringify({
      ...JSON.parse(attacker.attributes),
      contact_uri: `client:${victim.identity}`,
    });
    const hints = `?taskSid=${own.task}&reservationSid=${own.reservations[0]?.reservation}`;

    // Any webhook that Twilio signs for a URL that a browser chose.
    const { accountSid, authToken } = scene.stack.sandbox.account;
    const query = `${hints}&RecordingSid=${sid}&RecordingStatus=completed`;
    const path = `/recording-status-callback${query}`;
    const base = scene.functionsBaseUrl;
    const form = { AccountSid: accountSid, CallSid: victim.call, StatusCallbackEvent: 'participant-join' };
    const reply = await fetch(scene.stack.urls.functions + path, {
      method: 'POST',
      headers: { 'x-twilio-signature': getExpectedTwilioSignature(authToken, base + path, form) },
      body: new URLSearchParams(form),
    });
    expect(reply.status).toBe(400);
    expect(await scene.row(sid)).toBeNull();

    // By the Functions' own secret the same hints get as far as the host.
    await scene.signed('/ingest/recordings', {
      accountSid,
      recordingSid: sid,
      status: 'completed',
      hints: { taskSid: own.task, reservationSid: own.reservations[0]?.reservation },
    });
    const refused = await scene.reaches(sid, ({ linkState }) => linkState !== 'pending');
    expect(refused.workerSid).toBeUndefined();
    const held = await scene.token({
      roles: ['agent'],
      worker_sid: attacker.sid,
      identity: attacker.identity,
    });
    expect((await scene.hear(sid, held)).status).toBe(403);

    // The true callback, which comes later, is heard all the same.
    await scene.signed('/ingest/recordings', {
      accountSid,
      recordingSid: sid,
      status: 'completed',
      hints: { taskSid: victims.task, reservationSid: victim.reservation },
    });
    const linked = await scene.reaches(sid, ({ linkState }) => linkState === 'linked');
    expect(linked).toMatchObject({ workerSid: victim.worker, taskSid: victims.task });
    const victims_ = await scene.token({
      roles: ['agent'],
      worker_sid: victim.worker,
      identity: victim.identity,
    });
    expect((await scene.hear(sid, victims_)).status).toBe(200);
  },
};

export const rewrittenOutbound: Attack = {
  wants: "to hide whom an agent called, by the attributes of the agent's own task",
  async run(scene) {
    const { recordings, task } = await scene.call({ direction: 'outbound' });
    const [sid = ''] = recordings;
    const found = scene.stack.sandbox.twilio.world.tasks.get(task)!;
    touchTask(found, {
      attributes: JSON.stringify({ ...JSON.parse(found.attributes), outbound_to: '+19990000001' }),
    });
    expect(await scene.command(['reconcile', '--since', '2020-01-01', '--no-bucket'])).toMatchObject({
      code: 0,
    });
    await scene.reaches(sid, ({ state }) => state === 'verified');
    const asked = await scene.command(['erase', '--caller', '+19990000001']);
    expect(asked.out).not.toContain(sid);
  },
};
