import { type AlarmCode, isAlarmCode } from './alarms/alarm-table.ts';
import type { Alarms } from './alarms/alarms.ts';
import type { Job, OfRecording, RunJob } from './queue/job.ts';

/** Names of jobs that have an alarm of their own, `<name>_failed`. */
type Alarming = AlarmCode extends infer Code ? (Code extends `${infer Name}_failed` ? Name : never) : never;
/** One at a time, unless it names a number. */
type How<D extends object> = Omit<RunJob<D>, 'job' | 'concurrency'> & Partial<Pick<RunJob, 'concurrency'>>;

/**
 * Declares how a room runs its jobs. A job that failed for good raises the alarm `<name>_failed`, for its recording if its data
 * name one, unless `dead` says otherwise.
 */
export function jobRunner(alarms: Pick<Alarms, 'raise'>) {
  function running<D extends object, N extends Alarming>(job: Job<D, N>, how: How<D>): RunJob<D>;
  function running<D extends object>(job: Job<D>, how: How<D> & Required<Pick<How<D>, 'dead'>>): RunJob<D>;
  function running<D extends object>(job: Job<D>, how: How<D>): RunJob<D> {
    const code = `${job.name}_failed`;
    const dead: RunJob<D>['dead'] = async ({ data, error }) => {
      const { recordingSid }: Partial<OfRecording> = data;
      if (isAlarmCode(code)) await alarms.raise(code, recordingSid, error.code);
    };
    return { job, concurrency: 1, dead, ...how };
  }
  return running;
}
