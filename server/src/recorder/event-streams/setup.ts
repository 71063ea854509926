import { setTimeout as sleep } from 'node:timers/promises';
import { isObject } from '@flex-custody/core';
import type { TwilioEventStreams, TwilioSink } from '@flex-custody/twilio';
import type { Marks } from '../../catalog/marks.ts';
import type { Run } from '../../runs/runs.ts';
import { lookAtStream } from './look.ts';
import { lastTestId } from './noticing.ts';
import {
  description,
  differing,
  isOwn,
  type KinesisSink,
  type WantedSink,
  wantedSink,
} from './wanted-sink.ts';

export interface StreamSetupDeps {
  twilio: TwilioEventStreams;
  catalog: Pick<Marks, 'mark'>;
  config: { publicUrl: string };
  /** Ms until a test event must have arrived; 60,000 by default. */
  testMs?: number;
  /** Ms between two looks for it; 1,000 by default. */
  pollMs?: number;
}

/** What a step did, or would do, and what the operator must do: results by name, as a run shows them. */
class Report {
  readonly notes: Record<string, string> = {};
  readonly counts = { changed: 0, problems: 0 };
  constructor(readonly dryRun: boolean) {}
  note(step: string, text: string): void {
    this.notes[step] = text;
  }
  problem(step: string, what: string, next: string): void {
    this.counts.problems += 1;
    this.note(step, `${what}: ${next}`);
  }
  /** @returns undefined in a dry run */
  async change<T>(step: string, done: string, change: () => Promise<T>): Promise<T | undefined> {
    this.counts.changed += 1;
    this.note(step, this.dryRun ? `to be ${done}` : done);
    return this.dryRun ? undefined : change();
  }
}

/**
 * Creates or checks the host's sink and subscription; what is right stays as it is, and what is another's is left alone.
 * The run's notes say what each step found or did, and what the operator must do; `counts.problems` is 0 if all is right.
 * @throws CustodyError `event_sink_invalid`, or as `TwilioApi` does
 */
export async function setUpStream(deps: StreamSetupDeps, run: Run): Promise<void> {
  const { dryRun, remove, kinesis } = run.options;
  const wanted = wantedSink(deps.config.publicUrl, isObject(kinesis) ? kinesisOf(kinesis) : undefined);
  const report = new Report(dryRun === true);
  if (remove === true) await removeStream(deps, wanted, report);
  else await ensureStream(deps, wanted, report, run.signal);
  await run.save({ notes: report.notes }, { done: 1, ...report.counts });
}

const kinesisOf = ({ arn, roleArn, externalId }: Readonly<Record<string, unknown>>): KinesisSink => ({
  arn: String(arn),
  ...(typeof roleArn === 'string' && { roleArn }),
  ...(typeof externalId === 'string' && { externalId }),
});

async function ensureStream(
  deps: StreamSetupDeps,
  wanted: WantedSink,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const { twilio } = deps;
  const look = await lookAtStream(twilio, wanted);
  if (look.surplus.length > 0)
    report.note('surplus sinks', `${look.surplus.map(({ sid }) => sid).join(', ')}: --remove deletes all`);
  const sink = await ensureSink(deps, wanted, look, report, signal);
  // A replaced sink has no subscription yet.
  const isNew = sink?.sid !== look.sink?.sid;
  const { foreign, types } = look;
  if (types.notOffered.length > 0) report.note('not offered', types.notOffered.join(', '));
  if (foreign && !isNew)
    return report.problem(
      'subscription',
      `the sink is in use by ${foreign.sid}, which this host did not make`,
      'delete that subscription in the Twilio Console (Event Streams), and run this again',
    );
  if (report.counts.problems > 0) return;
  const subscription = isNew ? undefined : look.subscription;
  if (!subscription) {
    const all = isNew ? (await lookAtStream(twilio, wanted)).types.missing : types.missing;
    const made = await report.change('subscription', `created with ${all.length} types`, async () =>
      twilio.createSubscription({ description, sinkSid: sink?.sid ?? '', types: all }),
    );
    if (made === 'refused')
      report.problem(
        'subscription',
        'Twilio refused it',
        'read the reason in the Twilio Console (Monitor, Errors), and run this again',
      );
    return;
  }
  const { missing, outdated } = types;
  if (missing.length + outdated.length === 0)
    return report.note('subscription', `${subscription.sid}, complete`);
  await report.change(
    'subscription',
    `completed: ${changedText(missing.length, outdated.length)}`,
    async () => {
      for (const type of missing) await twilio.subscribe(subscription.sid, type);
      for (const type of outdated) await twilio.changeVersion(subscription.sid, type);
    },
  );
}

const changedText = (missing: number, outdated: number): string =>
  [
    ...(missing > 0 ? [`${missing} types were missing`] : []),
    ...(outdated > 0 ? [`${outdated} had an old schema version`] : []),
  ].join(', ');

/** @returns the active sink; undefined after a problem, and in a dry run for one that does not exist yet */
async function ensureSink(
  deps: StreamSetupDeps,
  wanted: WantedSink,
  { sink: found, subscription, foreign }: Awaited<ReturnType<typeof lookAtStream>>,
  report: Report,
  signal: AbortSignal,
): Promise<TwilioSink | undefined> {
  const { twilio } = deps;
  let sink = found;
  const wrong = found ? differing(found, wanted) : [];
  if (found && wrong.length > 0) {
    if (foreign) return found;
    await report.change('sink', `replaced: its ${wrong.join(', ')} differed`, async () => {
      if (subscription) await twilio.deleteSubscription(subscription.sid);
      await twilio.deleteSink(found.sid);
    });
    sink = await (report.dryRun ? undefined : twilio.createSink(wanted));
  } else if (!found) sink = await report.change('sink', 'created', () => twilio.createSink(wanted));
  if (!sink || report.dryRun) {
    if (sink && sink.status !== 'active') report.note('sink', `${sink.sid}, ${sink.status}: to be validated`);
    else if (sink && wrong.length === 0) report.note('sink', `${sink.sid}, active`);
    return sink;
  }
  if (sink === found && sink.status === 'active') {
    report.note('sink', `${sink.sid}, active`);
    return sink;
  }
  if (await validate(deps, sink, report, signal)) return sink;
  return undefined;
}

const arrives = {
  webhook:
    'check that CUSTODY_PUBLIC_URL is reached from the Internet and that a process of the role http runs',
  kinesis:
    'check the role (recorder setup --print-role), the stream, and that a process of the role recorder runs',
};

/** Sends the test event through the sink, waits until it arrives in the inbox, and tells Twilio its id. */
async function validate(
  { twilio, catalog, testMs = 60_000, pollMs = 1_000 }: StreamSetupDeps,
  sink: TwilioSink,
  report: Report,
  signal: AbortSignal,
): Promise<boolean> {
  const next = arrives[sink.type === 'kinesis' ? 'kinesis' : 'webhook'];
  const before = await lastTestId(catalog);
  await twilio.testSink(sink.sid);
  const end = performance.now() + testMs;
  let testId = await lastTestId(catalog);
  while (testId === undefined || testId === before) {
    const now = await twilio.sink(sink.sid);
    if (now?.status === 'failed') {
      report.problem(
        'sink',
        `${sink.sid} failed: Twilio could not deliver its test event`,
        `${next}; then run this with --remove, and again without it`,
      );
      return false;
    }
    if (performance.now() > end) {
      report.problem('sink', `the test event of ${sink.sid} did not arrive in ${testMs / 1_000} s`, next);
      return false;
    }
    await sleep(pollMs, undefined, { signal });
    testId = await lastTestId(catalog);
  }
  // Twilio may make a webhook's sink active by itself; then only its way was to be proven.
  const isActive = (await twilio.sink(sink.sid))?.status === 'active';
  if (!isActive && !(await twilio.validateSink(sink.sid, testId))) {
    report.problem('sink', `Twilio does not accept the test event of ${sink.sid}`, 'run this again');
    return false;
  }
  report.counts.changed += 1;
  report.note(
    'sink',
    `${sink.sid}, ${report.notes['sink'] === undefined ? '' : `${report.notes['sink']} and `}validated`,
  );
  return true;
}

/** Deletes the host's subscriptions and sinks for this place, and nothing else. */
async function removeStream({ twilio }: StreamSetupDeps, wanted: WantedSink, report: Report): Promise<void> {
  const own = (await twilio.sinks()).filter((sink) => isOwn(sink, wanted));
  if (own.length === 0) return report.note('sink', 'there is none of this host');
  for (const { sid } of own) {
    const subscriptions = await twilio.subscriptions(sid);
    const foreign = subscriptions.find((one) => one.description !== description);
    for (const one of subscriptions)
      if (one !== foreign && one.description === description)
        await report.change(one.sid, 'deleted', () => twilio.deleteSubscription(one.sid));
    if (foreign)
      report.problem(
        sid,
        `the sink is in use by ${foreign.sid}, which this host did not make`,
        'it stays; delete both in the Twilio Console (Event Streams) if nothing needs them',
      );
    else await report.change(sid, 'deleted', () => twilio.deleteSink(sid));
  }
}
