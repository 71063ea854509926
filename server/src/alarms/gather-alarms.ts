import type { AlarmCode } from './alarm-table.ts';
import type { AlarmSubject, Alarms } from './alarms.ts';

/** Details of a code that its alarm names. */
const mostDetails = 3;

type Raising = Pick<Alarms, 'resolve' | 'raise'>;
interface Warning {
  warn(fields: object, message: string): void;
}

export interface Gathering {
  /**
   * Raises what was gathered: one alarm for each code, about its recording where it concerns only one, else with the number of
   * recordings.
   * @param asked codes whose every case the work would have found: alarms about many recordings with a code that it did not find are resolved
   */
  flush(asked?: readonly AlarmCode[]): Promise<void>;
}

interface Gathered {
  times: number;
  recordingSid: AlarmSubject;
  details: Set<string>;
}

/**
 * Alarms of work that passes through many recordings: what concerns one recording is counted and logged, and raised once
 * at the work's end, since a fault of a bucket or an archive concerns tens of thousands of them. What concerns no single recording is
 * raised at once.
 */
export function gatherAlarms<A extends Raising>(alarms: A, log: Warning): A & Gathering {
  const gathered = new Map<AlarmCode, Gathered>();
  return {
    ...alarms,
    async raise(code, recordingSid, detail) {
      if (recordingSid === undefined) return alarms.raise(code, recordingSid, detail);
      log.warn({ event: 'alarm', code, recording: recordingSid, detail }, 'an alarm of many recordings');
      const had = gathered.get(code);
      if (!had) {
        gathered.set(code, { times: 1, recordingSid, details: new Set([detail]) });
        return;
      }
      had.times += 1;
      if (had.details.size <= mostDetails) had.details.add(detail);
    },
    async flush(asked = []) {
      const found = [...gathered];
      gathered.clear();
      for (const [code, { times, recordingSid, details }] of found) {
        const said = [...details].slice(0, mostDetails).join('; ');
        const more = details.size > mostDetails ? '; and others' : '';
        if (times === 1) await alarms.raise(code, recordingSid, said);
        else await alarms.raise(code, undefined, `${times} recordings, which the log names: ${said}${more}`);
      }
      const codes = new Set(found.map(([code]) => code));
      const resolved = asked.filter((code) => !codes.has(code));
      if (resolved.length > 0) await alarms.resolve(resolved);
    },
  };
}

/**
 * Does work over many recordings with its alarms gathered, and raises them however it ends.
 * @param asked as in {@link Gathering.flush}, for work that came to its end; a function where only the work knows them
 */
export async function withGatheredAlarms<P extends { alarms: Raising; log: Warning }>(
  deps: P,
  work: (deps: P) => Promise<void>,
  asked: readonly AlarmCode[] | (() => readonly AlarmCode[]) = [],
): Promise<void> {
  const alarms = gatherAlarms(deps.alarms, deps.log);
  try {
    await work({ ...deps, alarms });
  } catch (error) {
    // The caller gets the error that ended the work.
    await alarms.flush().catch(() => undefined);
    throw error;
  }
  await alarms.flush(typeof asked === 'function' ? asked() : asked);
}
