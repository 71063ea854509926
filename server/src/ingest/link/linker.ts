import {
  CustodyError,
  errorCode,
  isRetryable,
  type LinkState,
  type RecordingSid,
  type RecordingState,
} from '@flex-custody/core';
import type { Parties } from '../../catalog/live-calls.ts';
import type { Owner, RecordingRow } from '../../catalog/recording-row.ts';
import type { DeadJob, OfRecording } from '../../queue/job.ts';
import { hintedCallers } from '../../retention/caller.ts';
import type { IngestDeps } from '../deps.ts';
import { ingestJobs } from '../jobs.ts';
import { logStep } from '../log-step.ts';
import { linkAlarms } from '../recording-alarms.ts';
import { attach } from './attach.ts';
import { addressesOfWorkers } from './identity.ts';
import { type Hints, type Proof, prove } from './prove.ts';
import { proveBySegments } from './prove-by-segments.ts';

const workerMs = 60_000;
const workersKept = 10_000;
/** Direction and caller can be asked for weeks later: copy and link come first. */
const factsAfterMs = 5_000;
/** A callback waits for its link, and the link waits for direction and caller no longer than this. */
const factsWithinMs = 1_000;

/** How the link ended, and the recording's state then; undefined if another process was first. */
interface Settled {
  link: Exclude<LinkState, 'pending'>;
  state: RecordingState | undefined;
  /** Direction and caller are known too. */
  isFactual?: boolean;
}
type Proven = Extract<Proof, { level: 'reservation' | 'task' }>;

export interface Linker {
  /**
   * Proves the link, attaches it to the task, and notes it. Simultaneous calls for one recording share one execution.
   * @throws a retryable CustodyError if Twilio does not answer now; the link then stays pending
   */
  link(row: RecordingRow): Promise<LinkState>;
  /**
   * The same with a limit: returns after `budgetMs` at the latest. A job does what is not done by then or cannot be done
   * now, because a link must never cost a copy.
   */
  linkWithin(row: RecordingRow, budgetMs: number): Promise<void>;
  /**
   * Replaces refused hints by other hints that Twilio's facts prove, so that a wrong first hint does not keep a recording
   * from its task. The link is then pending.
   * @returns the row after the change
   * @throws CustodyError as TwilioApi does
   */
  reconsider(row: RecordingRow, hints: Hints): Promise<RecordingRow>;
}

const ownerOf = (proof: Proven): Owner =>
  proof.level === 'reservation'
    ? { taskSid: proof.taskSid, reservationSid: proof.reservationSid, workerSid: proof.workerSid }
    : { taskSid: proof.taskSid };

export function createLinker(deps: IngestDeps): Linker {
  const { alarms, catalog, config, log, queue, twilio } = deps;
  const running = new Map<RecordingSid, Promise<LinkState>>();
  const { identities } = deps;
  const means = { twilio, isAddressOf: addressesOfWorkers(identities, twilio) };
  const worker = remembering(twilio.worker);
  const isAddressAsRemembered = addressesOfWorkers(
    { about: remembering(identities.about) },
    { workersNamed: remembering(twilio.workersNamed) },
  );

  async function unlinked(sid: RecordingSid, reason: string, owner?: Owner): Promise<Settled> {
    return { link: 'unlinked', state: await catalog.unlinked(sid, reason, owner) };
  }

  async function notShown(
    sid: RecordingSid,
    reason: 'attributes_full' | 'attributes_unreadable',
    owner: Owner,
  ): Promise<Settled> {
    const settled = await unlinked(sid, reason, owner);
    await alarms.raise(reason, sid, 'the recording can be played, but its task does not show it');
    return settled;
  }

  /** Direction and caller, if Twilio answers in time; otherwise a job asks later. */
  async function whoseCall(row: RecordingRow, proof: Proven): Promise<Parties | undefined> {
    const asked = deps.whoseCall?.({ ...row, ...ownerOf(proof) }).catch(() => undefined);
    return asked && within(asked, factsWithinMs);
  }

  async function attachProven(row: RecordingRow, proof: Proven): Promise<Settled> {
    const asked = whoseCall(row, proof);
    const segmentLink = await deps.segmentLink?.(row);
    const { attached, task } = await attach(twilio, {
      recordingSid: row.recordingSid,
      taskSid: proof.taskSid,
      task: proof.task,
      ...(proof.level === 'reservation'
        ? { reservationSid: proof.reservationSid, reservationUpdated: proof.reservationUpdated }
        : {}),
      publicUrl: config.publicUrl,
      startedAt: row.startedAt,
      // On a mono recording, names for two channels would label the wrong speaker.
      ...(row.channels === 2 ? { channels: config.mediaChannels } : {}),
      title: row.conferenceSid ? 'Conference' : 'Call',
      ...(segmentLink ? { segmentLink } : {}),
    });
    // The task is deleted within minutes, and its queue with it. Other attributes are not facts.
    const owner: Owner = {
      ...ownerOf(proof),
      ...(task?.queue !== undefined && { queue: task.queue }),
      ...(task && { hintedCallers: hintedCallers(task.attributes, deps.callerDigest) }),
    };
    switch (attached) {
      case 'attached': {
        const parties = await asked;
        const state = await catalog.linked(row.recordingSid, owner, parties);
        await alarms.resolve(linkAlarms, row.recordingSid);
        return { link: 'linked', state, isFactual: parties !== undefined };
      }
      case 'gone':
        return unlinked(row.recordingSid, 'task_gone', owner);
      case 'full':
        return notShown(row.recordingSid, 'attributes_full', owner);
      case 'unreadable':
        return notShown(row.recordingSid, 'attributes_unreadable', owner);
      case 'contended':
        throw new CustodyError('task_contended', 'other writers keep changing the task attributes');
    }
  }

  async function settle(row: RecordingRow): Promise<Settled> {
    // Twilio does not know the recording, so its call is unproven too, and proves nothing.
    if (row.unproven.includes('start')) return unlinked(row.recordingSid, 'task_not_found');
    const remembered = await prove(
      { twilio: { ...twilio, worker }, isAddressOf: isAddressAsRemembered },
      row,
      row.hints,
    );
    // A cached answer may be out of date: it never decides a refusal.
    const proof = remembered.level === 'refused' ? await prove(means, row, row.hints) : remembered;
    if (proof.level === 'refused') {
      const state = await catalog.refused(row.recordingSid, proof.reason);
      await alarms.raise('link_refused', row.recordingSid, proof.reason);
      return { link: 'refused', state };
    }
    if (proof.level !== 'none') return attachProven(row, proof);
    const segments = (await deps.segmentsOf?.(row)) ?? [];
    const bySegment = await proveBySegments(means, row, segments);
    if (!bySegment) return unlinked(row.recordingSid, proof.reason);
    return 'task' in bySegment
      ? attachProven(row, bySegment)
      : unlinked(row.recordingSid, 'task_gone', bySegment);
  }

  async function attempt(row: RecordingRow): Promise<LinkState> {
    if (row.linkState !== 'pending') return row.linkState;
    let settled: Settled;
    try {
      settled = await settle(row);
    } catch (error) {
      if (isRetryable(error)) throw error;
      await alarms.raise('link_failed', row.recordingSid, errorCode(error));
      // Wrong credentials are a fault of the host's settings: the link waits until they are correct.
      if (errorCode(error) === 'twilio_unauthorized') throw error;
      settled = await unlinked(row.recordingSid, errorCode(error));
    }
    const { recordingSid } = row;
    const { link, state, isFactual } = settled;
    logStep(log, link, recordingSid);
    if (!isFactual) await deps.askWhoseCall(recordingSid, factsAfterMs);
    // The sidecar of a verified recording lacks the link.
    if (state === 'verified') await queue.send(ingestJobs.describe, { recordingSid });
    deps.observer?.linkSettled?.(recordingSid, link);
    return link;
  }

  function link(row: RecordingRow): Promise<LinkState> {
    const existing = running.get(row.recordingSid);
    if (existing) return existing;
    const work = attempt(row).finally(() => running.delete(row.recordingSid));
    running.set(row.recordingSid, work);
    return work;
  }

  return {
    link,
    async reconsider(row, hints) {
      const { recordingSid, hints: refused } = row;
      const isSame = refused.taskSid === hints.taskSid && refused.reservationSid === hints.reservationSid;
      if (row.linkState !== 'refused' || isSame) return row;
      const { level } = await prove(means, row, hints);
      if (level !== 'reservation' && level !== 'task') return row;
      if (!(await catalog.rehinted(recordingSid, hints))) return row;
      await alarms.resolve(['link_refused'], recordingSid);
      return (await catalog.find(recordingSid)) ?? row;
    },
    async linkWithin(row, budgetMs) {
      const later = async (why: string) => {
        log.warn({ recording: row.recordingSid, why }, 'the link is not written yet: a job does it');
        await queue.send(ingestJobs.link, { recordingSid: row.recordingSid }, { startAfterMs: 2_000 });
      };
      const work = link(row).then(
        () => 'linked',
        (error: unknown) => errorCode(error),
      );
      const outcome = (await within(work, budgetMs)) ?? 'late';
      if (outcome !== 'linked') await later(outcome);
    },
  };
}

/** The result of the work; undefined if it takes longer than `ms`. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Caches answers: the same few workers and names need no request for every call. */
function remembering<A extends readonly string[], R>(
  ask: (...asked: A) => Promise<R>,
): (...asked: A) => Promise<R> {
  const known = new Map<string, { until: number; answer: Promise<R> }>();
  return (...asked) => {
    const key = JSON.stringify(asked);
    const kept = known.get(key);
    if (kept && kept.until > Date.now()) return kept.answer;
    if (known.size > workersKept) known.clear();
    const answer = ask(...asked);
    known.set(key, { until: Date.now() + workerMs, answer });
    answer.catch(() => known.delete(key));
    return answer;
  };
}

/** Raises an alarm. The link stays pending: the janitor sends the job again, until Twilio answers or the task no longer exists. */
export async function linkDead(
  { alarms, catalog }: Pick<IngestDeps, 'alarms' | 'catalog'>,
  { data: { recordingSid }, error }: DeadJob<OfRecording>,
): Promise<void> {
  const row = await catalog.find(recordingSid);
  if (row?.linkState === 'pending') await alarms.raise('link_failed', recordingSid, error.code);
}
