import { type NotRecordedReason, type RecordingVerdict, readFlexSettings } from '@flex-custody/core';
import type { RecordedPlace } from '@flex-custody/twilio';
import type { LiveCall, LiveCalls } from '../../catalog/live-calls.ts';
import type { RecorderDeps } from '../deps.ts';

/** Time between a worker's leg and the alarm: Twilio may list a recording late. */
const patienceMs = 30_000;
/** A leg may be recorded before its conference begins. */
const marginMs = 60_000;
const alarm = 'not_recorded';

const isRecording = ({ status }: Pick<RecordedPlace, 'status'>): boolean =>
  status !== 'absent' && status !== 'deleted' && status !== 'failed';

/**
 * Raises an alarm, once for each call, if a worker is on a call that nothing records, whatever the worker's browser does
 * or reports.
 * @param live the calls that Twilio lists as live
 */
export async function watch(
  deps: RecorderDeps,
  calls: LiveCalls,
  live: readonly LiveCall[],
  now: number,
): Promise<void> {
  const open = live.filter(({ taskSid, recordedAt, excusedAt }) => taskSid && !recordedAt && !excusedAt);
  if (open.length === 0) return;
  const since = Math.min(...open.map(({ beganAt }) => beganAt.getTime())) - marginMs;
  const found = (await deps.twilio.recordingsSince(new Date(since))).filter(isRecording);
  const recorded = open.filter((call) => found.some((one) => isOf(call, one)));
  await noteRecorded(deps, calls, recorded);
  for (const call of open) {
    if (recorded.includes(call) || call.alarmedAt || !call.agentAt) continue;
    if (now - call.agentAt.getTime() >= patienceMs) await warn(deps, calls, call);
  }
}

const isOf = ({ conferenceSid, legs }: LiveCall, one: RecordedPlace): boolean =>
  one.conferenceSid === conferenceSid || (one.callSid !== undefined && legs.includes(one.callSid));

async function noteRecorded(
  { alarms, db }: RecorderDeps,
  calls: LiveCalls,
  recorded: readonly LiveCall[],
): Promise<void> {
  await calls.recorded(recorded.map(({ conferenceSid }) => conferenceSid));
  const warned = recorded.filter(({ alarmedAt }) => alarmedAt);
  // All calls share one alarm: it stays open while another call is not recorded, or if a plugin has raised it since.
  if (warned.length === 0 || (await calls.unrecorded()).length > 0) return;
  const [last] = await db.query<{ detail: string }>(
    `SELECT detail FROM alarms WHERE code = $1 AND recording_sid = '' AND cleared_at IS NULL`,
    [alarm],
  );
  if (warned.some((call) => detailOf(call) === last?.detail)) await alarms.resolve([alarm]);
}

async function warn(deps: RecorderDeps, calls: LiveCalls, call: LiveCall): Promise<void> {
  // Twilio's list of all recordings may lag, so the host reads those of the conference and of each leg before the alarm.
  const places = [{ conference: call.conferenceSid }, ...call.legs.map((leg) => ({ call: leg }))];
  const lists = await Promise.all(places.map((place) => deps.twilio.recordingsOf(place)));
  if (lists.flat().some(isRecording)) return noteRecorded(deps, calls, [call]);
  if (await isWanted(deps, call)) return calls.excused(call.conferenceSid);
  if (!(await calls.alarmed(call.conferenceSid))) return;
  await deps.alarms.raise(alarm, undefined, detailOf(call));
  deps.log.warn(
    { event: 'call.not_recorded', conference: call.conferenceSid, task: call.taskSid },
    'nothing records a live call',
  );
}

const detailOf = ({ conferenceSid }: LiveCall): string => `nothing records the live call ${conferenceSid}`;

/**
 * True if a worker of the task reported that a rule keeps the call from being recorded, and the settings have such a
 * rule: a browser's report alone suppresses no alarm.
 */
async function isWanted({ db, twilio }: RecorderDeps, call: LiveCall): Promise<boolean> {
  if (!call.taskSid) return false;
  const reports = await db.query<{ reason: NotRecordedReason; worker: string | null; by: string }>(
    `SELECT details->>'reason' AS reason, worker_sid AS worker, by FROM reports
     WHERE task_sid = $1 AND kind = 'not-recorded'`,
    [call.taskSid],
  );
  if (reports.length === 0) return false;
  const workers = new Set<string>(
    (await twilio.reservations(call.taskSid)).map(({ workerSid }) => workerSid),
  );
  const reasons = reports
    .filter(({ by, worker }) => by === 'function' || (worker !== null && workers.has(worker)))
    .map(({ reason }) => reason);
  if (reasons.length === 0) return false;
  const configuration = await twilio.flexConfiguration();
  const { recording } = readFlexSettings(configuration?.uiAttributes['flex_custody']).settings;
  const has = (verdict: RecordingVerdict) =>
    recording.otherwise === verdict || recording.rules.some((rule) => rule.verdict === verdict);
  return reasons.some(
    (reason) =>
      (reason === 'rule' && has('never')) ||
      (reason === 'on-demand' && has('on-demand')) ||
      (reason === 'internal-call' && !recording.internal && call.customerCallSid === undefined),
  );
}
