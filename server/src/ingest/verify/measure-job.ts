import {
  errorCode,
  type InsightsMeasure,
  isRetryable,
  type TalkMetrics,
  type TaskSid,
  withMeasures,
} from '@flex-custody/core';
import { changeTask } from '@flex-custody/twilio';
import { openSidecar } from '../../catalog/sidecars.ts';
import type { IngestDeps } from '../deps.ts';

type Deps = Pick<
  IngestDeps,
  'alarms' | 'catalog' | 'config' | 'keys' | 'log' | 'signing' | 'store' | 'twilio'
>;

/** Another recording of the task may be described during a write, so the job writes again until nothing has changed. */
const mostWrites = 5;

/**
 * Writes talk times into the measures of a task's conversation, as the settings say: Flex Insights computes none if the
 * recording is stored elsewhere. For several recordings of one task it writes the sum, and of monologues the longest.
 * @throws CustodyError as Twilio, store and keys do
 */
export async function measureJob(deps: Deps, taskSid: TaskSid): Promise<void> {
  let before = '';
  for (let write = 0; write < mostWrites; write += 1) {
    const values = valuesOf(await talkOf(deps, taskSid), deps.config.insightsMeasures);
    const now = JSON.stringify(values);
    // A recording described during our write is included, or its own job writes later.
    if (now === before || Object.keys(values).length === 0) return;
    before = now;
    const changed = await changeTask(deps.twilio, taskSid, () => [withMeasures(values)]);
    if (changed === 'written' || changed === 'same') {
      await deps.alarms.resolve(['measure_failed']);
      continue;
    }
    deps.log.warn({ task: taskSid, why: changed }, 'the measures of a conversation could not be written');
    return;
  }
}

async function talkOf(deps: Deps, taskSid: TaskSid): Promise<TalkMetrics[]> {
  const found: TalkMetrics[] = [];
  for (const { recordingSid, sidecar } of await deps.catalog.ofTask(taskSid)) {
    if (!sidecar) continue;
    try {
      const { analysis } = (await openSidecar(deps, recordingSid, sidecar)).sidecar;
      if (analysis?.talk) found.push(analysis.talk);
    } catch (error) {
      if (isRetryable(error)) throw error;
      deps.log.warn(
        { recording: recordingSid, code: errorCode(error) },
        'a sidecar could not be read for the measures of its conversation',
      );
    }
  }
  return found;
}

const figures: Readonly<Record<InsightsMeasure['of'], (all: readonly TalkMetrics[]) => number>> = {
  agent: (all) => sum(all, 'agentMs'),
  customer: (all) => sum(all, 'customerMs'),
  crosstalk: (all) => sum(all, 'crosstalkMs'),
  silence: (all) => sum(all, 'silenceMs'),
  monologue: (all) => Math.max(...all.map(({ longestMonologueMs }) => longestMonologueMs)),
};

const sum = (all: readonly TalkMetrics[], name: keyof TalkMetrics): number =>
  all.reduce((total, one) => total + one[name], 0);

/** Seconds, rounded to a tenth like Insights' own times. */
function valuesOf(all: readonly TalkMetrics[], measures: readonly InsightsMeasure[]): Record<number, number> {
  if (all.length === 0) return {};
  return Object.fromEntries(
    measures.map(({ of, measure }) => [measure, Math.round(figures[of](all) / 100) / 10]),
  );
}
