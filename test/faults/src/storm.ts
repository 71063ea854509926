import { setTimeout as sleep } from 'node:timers/promises';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { callbackForm } from '../../../sandbox/src/callbacks.ts';
import { openMediaFile } from '../../../sandbox/src/media.ts';
import { mintToken } from '../../../sandbox/src/rest/iam.ts';
import type { Recording } from '../../../sandbox/src/world.ts';
import type { EventStorm, Step } from './event-storm.ts';
import { createLiar, type Liar } from './liar.ts';
import { type Lie, lastingFault, type Plan, type PlannedCall } from './plan.ts';
import type { Stage } from './stage.ts';

/** A recording that was made, and what was planned for it. */
export interface Played {
  recording: Recording;
  task: string;
  planned: PlannedCall;
}

export interface StormCounts {
  kills: number;
  databaseRestarts: number;
  faults: number;
  /** Callbacks that somebody else signed, or nobody. */
  forged: number;
  forgedAccepted: number;
  /** What was said of a recording that is not so, and reached its listener. */
  lies: number;
  /** Requests of a player in the middle of it all. */
  listened: number;
  /** Of them, by tokens that nobody issued. */
  listenedWithout: number;
  /** Answers to those that let them in. */
  listenedWithoutAndHeard: number;
  /** Answers that none of the contract's. */
  strangeAnswers: string[];
}

const listenEveryMs = 1_500;

/** Plays the plan through, second by second. Resolves when its last callback is delivered or given up. */
export async function storm(
  stage: Stage,
  plan: Plan,
  events: EventStorm,
  tell: (line: string) => void,
): Promise<{ played: Played[]; counts: StormCounts }> {
  const { twilio } = stage.sandbox;
  const media = await openMediaFile('sandbox/media/dialogue.wav');
  const begun = Date.now();
  const counts: StormCounts = {
    kills: 0,
    databaseRestarts: 0,
    faults: 0,
    forged: 0,
    forgedAccepted: 0,
    lies: 0,
    listened: 0,
    listenedWithout: 0,
    listenedWithoutAndHeard: 0,
    strangeAnswers: [],
  };
  const played: Played[] = [];
  const liar = createLiar(stage);
  const deliveries: Promise<unknown>[] = [];
  const unsubscribe = twilio.events.subscribe(({ event }) => {
    if (event === 'fault.met') counts.faults += 1;
  });

  const place = (planned: PlannedCall) => {
    const { seconds, channels, direction, encrypted, fate } = planned;
    const placed = twilio.switchboard.place({
      media,
      marked: true,
      seconds,
      channels,
      direction,
      transfer: false,
      conference: false,
      taskGone: false,
      callback: false,
      encrypted,
    });
    const recording = twilio.world.recordings.get(placed.recordings[0] ?? '');
    if (!recording) throw new Error('a call without its recording');
    if (fate === 'deleted') recording.status = 'deleted';
    if (fate === 'too short' || fate === 'silent') {
      recording.status = 'absent';
      recording.errorCode = fate === 'silent' ? 16102 : 16101;
    }
    const lasting = fate && lastingFault(fate, recording.sid);
    if (lasting) twilio.faults.add(lasting);
    const others = played.filter(({ planned: { fate: other } }) => other === undefined);
    played.push({ recording, task: placed.task, planned });
    const othersTask = others.at(-1)?.task;
    const lied = planned.lie
      ? tellLie(liar, planned.lie, { recording, task: placed.task, othersTask }, counts)
      : undefined;
    // What a forger copied, nobody else announces.
    const isAnnounced = planned.lie === undefined || genuinelyAnnounced.includes(planned.lie);
    const announced = async () => {
      await lied;
      if (isAnnounced) await deliver(recording, planned, othersTask);
    };
    deliveries.push(announced());
  };

  const deliver = async (
    recording: Recording,
    { delivery, delay, fate }: PlannedCall,
    othersTask: string | undefined,
  ) => {
    const { courier } = twilio;
    const again = () => sleep(delay).then(() => courier.deliver(recording));
    switch (delivery) {
      case 'lost':
        return;
      case 'late':
        return again();
      case 'twice':
        return Promise.all([courier.deliver(recording), courier.deliver(recording), again()]);
      case 'out of order':
        await courier.deliver(recording);
        return courier.deliver(recording, { RecordingStatus: 'in-progress' });
      case 'steered': {
        const callback = recording.callback?.replace(/taskSid=WT[0-9a-f]{32}/, `taskSid=${othersTask}`);
        return courier.deliver(othersTask && callback ? { ...recording, callback } : recording);
      }
      default:
        // Deleted since, by somebody else: what Twilio told us was told before.
        return courier.deliver(recording, fate === 'deleted' ? { RecordingStatus: 'completed' } : {});
    }
  };

  const forge = async () => {
    const target = played.at(-1)?.recording;
    if (!target) return;
    const form = callbackForm(twilio.world, target);
    const path = target.callback?.split('#')[0] ?? '';
    const url = `https://flex-custody.example${path}`;
    const signatures = [undefined, 'bm90IHR3aWxpbw==', getExpectedTwilioSignature('0'.repeat(32), url, form)];
    for (const signature of signatures) {
      counts.forged += 1;
      const reply = await fetch(stage.urls.functions + path, {
        method: 'POST',
        headers: signature === undefined ? {} : { 'x-twilio-signature': signature },
        body: new URLSearchParams(form),
      }).catch(() => undefined);
      if (reply && reply.status < 400) counts.forgedAccepted += 1;
    }
    counts.forged += 1;
    // Past the Functions: whoever reaches the host still needs their secret.
    const reply = await fetch(`${stage.urls.host}/ingest/recordings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        recordingSid: target.sid,
        accountSid: form['AccountSid'],
        status: 'completed',
        hints: {},
      }),
    }).catch(() => undefined);
    if (reply?.ok) counts.forgedAccepted += 1;
  };

  const listen = async () => {
    const target = played[Math.floor(played.length / 2)]?.recording;
    if (!target) return;
    const genuine = counts.listened % 3 !== 0;
    counts.listened += 1;
    const token = genuine
      ? mintToken(twilio.world, {
          identity: 'supervisor',
          roles: ['supervisor'],
          workerSid: null,
          expiresAt: new Date(Date.now() + 60_000),
        })
      : 'eyJhbGciOiJub25lIn0.eyJyb2xlcyI6WyJhZG1pbiJdfQ.';
    const reply = await fetch(`${stage.urls.host}/url-provider?recording=${target.sid}`, {
      headers: { authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` },
      signal: AbortSignal.timeout(15_000),
    }).catch(() => undefined);
    if (!genuine) {
      counts.listenedWithout += 1;
      if (reply?.ok) counts.listenedWithoutAndHeard += 1;
    }
    const contract = [200, 401, 403, 404, 409, 410, 425, 429, 500, 502, 503];
    if (reply && !contract.includes(reply.status)) counts.strangeAnswers.push(String(reply.status));
  };

  const agenda: Step[] = [
    ...plan.calls.map((planned) => ({ at: planned.at, act: () => place(planned) })),
    ...plan.faults.map(({ at, fault }) => ({ at, act: () => twilio.faults.add(fault) })),
    ...plan.forgeries.map((at) => ({ at, act: () => deliveries.push(forge()) })),
    ...events.agenda.map(({ at, act }) => ({ at, act: () => void deliveries.push(Promise.resolve(act())) })),
  ].sort((a, b) => a.at - b.at);
  // One after another: a second kill in the midst of a start would only kill what does not run yet.
  const violence = [
    ...plan.kills.map(({ at, victim }) => ({
      at,
      act: async () => {
        if (await stage.kill(victim)) counts.kills += 1;
        else if (await stage.kill('host')) counts.kills += 1;
      },
    })),
    ...plan.restarts.map((at) => ({
      at,
      act: async () => {
        if (await stage.restartDatabase()) counts.databaseRestarts += 1;
      },
    })),
    ...events.violence,
  ].sort((a, b) => a.at - b.at);

  const follow = async (steps: readonly Step[], wait: boolean) => {
    for (const { at, act } of steps) {
      await sleep(Math.max(0, begun + at - Date.now()));
      const acted = act();
      if (wait) await acted;
    }
  };
  const listening = setInterval(() => deliveries.push(listen()), listenEveryMs);
  const telling = setInterval(() => {
    const seconds = Math.round((Date.now() - begun) / 1_000);
    tell(`${seconds} s: ${played.length} recordings, ${counts.kills} kills, ${counts.faults} faults met`);
  }, 10_000);
  try {
    await Promise.all([follow(agenda, false), follow(violence, true)]);
  } finally {
    clearInterval(listening);
    clearInterval(telling);
  }
  await Promise.allSettled(deliveries);
  liar.close();
  unsubscribe();
  return { played, counts };
}

/** Lies beside which Twilio's own callback comes. */
const genuinelyAnnounced: readonly Lie[] = ['wrong hints', 'rewritten task', 'forged sidecar'];

async function tellLie(
  liar: Liar,
  lie: Lie,
  { recording, task, othersTask }: { recording: Recording; task: string; othersTask: string | undefined },
  counts: StormCounts,
): Promise<void> {
  if (await liar.tell(lie, recording, task, othersTask)) counts.lies += 1;
}

/** Passing troubles end; what lasts, lasts. */
export function calm(stage: Stage, played: readonly Played[]): void {
  const { faults } = stage.sandbox.twilio;
  faults.clear();
  for (const { recording, planned } of played) {
    const lasting = planned.fate && lastingFault(planned.fate, recording.sid);
    if (lasting) faults.add(lasting);
  }
}
