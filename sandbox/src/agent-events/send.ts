import { createHash, randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { EventLog } from '../events.ts';
import type { Sink, World } from '../world.ts';
import { type CloudEvent, cloudEvent, kinesisText, testEvent } from './forms.ts';
import type { AgentEvent } from './list.ts';
import { type Misbehaviour, seeded, treat, wellBehaved } from './misbehaviour.ts';

/** Takes records for a Kinesis stream. @param stream its ARN */
export type PutRecords = (
  stream: string,
  records: readonly { partitionKey: string; data: string }[],
) => Promise<void>;

export interface EventStreams {
  readonly misbehaviour: Misbehaviour;
  misbehave(how: Partial<Misbehaviour>): void;
  /** Events that were dropped for good, as Twilio's debugger reports them (91303). */
  readonly lost: readonly AgentEvent[];
  /** Where records for Kinesis are put; without it a Kinesis sink fails. */
  toKinesis(put: PutRecords): void;
  test(sink: Sink): void;
  /** Resolves when every event was delivered or dropped. */
  settled(): Promise<void>;
  close(): void;
}

/** Twilio waits so long for an answer. */
const answerMs = 5_000;
/** The double retries sooner, and for a shorter time, than Twilio's 4 hours. */
const firstPauseMs = 50;
const longestPauseMs = 2_000;
const retryForMs = 120_000;
const gatherMs = 20;

export function createEventStreams({ world, events }: { world: World; events: EventLog }): EventStreams {
  const closing = new AbortController();
  const { signal } = closing;
  // Each delivery that waits listens to it.
  setMaxListeners(0, signal);
  const underway = new Set<Promise<unknown>>();
  const lost: AgentEvent[] = [];
  const misbehaviour = { ...wellBehaved };
  const waiting = new Map<string, AgentEvent[]>();
  let random = seeded(misbehaviour.seed);
  let put: PutRecords | undefined;

  const track = (work: Promise<unknown>) => {
    underway.add(work);
    void work.catch(() => undefined).finally(() => underway.delete(work));
  };

  /** Again and again while the receiver is in trouble; another refusal discards the events. */
  const deliver = async (sink: Sink, batch: readonly CloudEvent[]): Promise<void> => {
    const end = Date.now() + retryForMs;
    for (let pause = firstPauseMs; !signal.aborted; pause = Math.min(2 * pause, longestPauseMs)) {
      const status = await once(sink, batch).catch(() => 0);
      const done = status >= 200 && status < 300;
      const isDropped = status >= 400 && status < 500 && status !== 429;
      events.emit(done ? 'events.delivered' : 'events.refused', {
        sink: sink.sid,
        status,
        count: batch.length,
      });
      if (done || isDropped || Date.now() + pause > end) return;
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  };
  const once = async (sink: Sink, batch: readonly CloudEvent[]): Promise<number> => {
    if (sink.type === 'webhook') return post(world, sink, batch, signal);
    if (!put) throw new Error('no stream takes records');
    const records = batch.map((one) => ({ partitionKey: one.id, data: kinesisText(one) }));
    await put(String(sink.configuration['arn']), records);
    return 200;
  };

  const flush = async (sink: Sink, versions: ReadonlyMap<string, number>): Promise<void> => {
    await sleep(gatherMs + misbehaviour.delayMs, undefined, { signal });
    const gathered = waiting.get(sink.sid) ?? [];
    waiting.delete(sink.sid);
    const treated = treat(gathered, misbehaviour, random);
    for (const event of treated.lost) {
      lost.push(event);
      events.emit('events.lost', { code: 91303, type: event.type, id: event.id });
    }
    const all = treated.sent.map((event) => cloudEvent(world, event, versions.get(event.type) ?? 1));
    const size = sink.configuration['batch_events'] === false ? 1 : misbehaviour.batch;
    for (let at = 0; at < all.length; at += size) track(deliver(sink, all.slice(at, at + size)));
  };

  const stop = world.agentEvents.on((made) => {
    for (const { sinkSid, types } of world.subscriptions.values()) {
      const sink = world.sinks.get(sinkSid);
      const wanted = made.filter(
        ({ type }) => types.has(type) && !misbehaviour.without.some((begins) => type.startsWith(begins)),
      );
      if (sink?.status !== 'active' || wanted.length === 0) continue;
      const gathered = waiting.get(sink.sid);
      if (gathered) gathered.push(...wanted);
      else {
        waiting.set(sink.sid, [...wanted]);
        track(flush(sink, types));
      }
    }
  });

  return {
    misbehaviour,
    misbehave(how) {
      Object.assign(misbehaviour, how);
      random = seeded(misbehaviour.seed);
    },
    lost,
    toKinesis(to) {
      put = to;
    },
    test(sink) {
      const work = async () => {
        const status = await once(sink, [testEvent(world, sink.testId ?? '')]).catch(() => 0);
        events.emit('events.test', { sink: sink.sid, status });
        if (status < 200 || status >= 300) Object.assign(sink, { status: 'failed', updatedAt: new Date() });
      };
      track(work());
    },
    async settled() {
      while (underway.size > 0) await Promise.allSettled([...underway]);
    },
    close() {
      stop();
      closing.abort();
    },
  };
}

/** A POST of a JSON array, signed over the URL with the body's digest in its query. */
async function post(
  world: World,
  { configuration }: Sink,
  batch: readonly CloudEvent[],
  signal: AbortSignal,
): Promise<number> {
  const body = JSON.stringify(batch);
  const url = new URL(String(configuration['destination']));
  const { username, password } = url;
  Object.assign(url, { username: '', password: '' });
  url.searchParams.set('bodySHA256', createHash('sha256').update(body).digest('hex'));
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/cloudevents+json',
      'user-agent': 'TwilioProxy/1.1',
      'x-twilio-signature': getExpectedTwilioSignature(world.account.authToken, url.href, {}),
      'i-twilio-idempotency-token': randomUUID(),
      ...(username !== '' && {
        authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
      }),
    },
    redirect: 'manual',
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
  });
  await response.arrayBuffer();
  return response.status;
}
