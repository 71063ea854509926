import type { ConsentMemory } from './memory';
import type { ConsentReport, ReportFailure } from './report';

/** State of the question. Only `given` and `not-needed` let voice analysis start. */
export type Consent =
  | { kind: 'asking' | 'given' | 'refused' | 'not-needed' }
  | { kind: 'writing'; report: ConsentReport }
  | { kind: 'unwritten'; report: ConsentReport; failure: ReportFailure };

export interface GateDeps {
  consentNeeded: boolean;
  memory: ConsentMemory;
  send(report: ConsentReport): Promise<ReportFailure | undefined>;
}

/** Its state when a task is opened. */
export function standing({ consentNeeded, memory }: GateDeps, taskSid: string): Consent {
  return { kind: consentNeeded ? (memory.recall(taskSid) ?? 'asking') : 'not-needed' };
}

/**
 * Has a decision written down, and shows each step. A refusal or a withdrawal counts at once; consent counts only when it
 * is written.
 */
export async function write(
  report: ConsentReport,
  { memory, send }: GateDeps,
  show: (consent: Consent) => void,
): Promise<void> {
  const answer = report.decision === 'given' ? 'given' : 'refused';
  show({ kind: 'writing', report });
  if (answer === 'refused') memory.remember(report.taskSid, answer);
  const failure = await send(report);
  if (failure) return show({ kind: 'unwritten', report, failure });
  memory.remember(report.taskSid, answer);
  show({ kind: answer });
}
