import type { CallSid, ReservationSid, TaskSid } from '@flex-custody/core';
import * as React from 'react';
import {
  type ConsentDecision,
  type ConsentReport,
  consentReport,
  type ReportFailure,
} from '../consent/report';
import type { Desk } from '../desk';

export type Consent =
  | { kind: 'asking' | 'given' | 'refused' | 'not-needed' }
  | { kind: 'writing'; report: ConsentReport }
  | { kind: 'unwritten'; report: ConsentReport; failure: ReportFailure };

export interface ConsentOf {
  taskSid: TaskSid;
  reservationSid: ReservationSid | undefined;
  callSid: CallSid;
}

export interface ConsentSteps {
  consent: Consent;
  decide(decision: ConsentDecision): void;
  /** Sends what could not be written once more. */
  retry(): void;
  askAgain(): void;
}

/** Given is only what the host has written down. Nothing of a decision outlives the page but the answer itself. */
export function useConsent(desk: Desk, of: ConsentOf): ConsentSteps {
  const [consent, setConsent] = React.useState<Consent>(() => {
    if (!desk.consentNeeded) return { kind: 'not-needed' };
    return { kind: desk.memory.recall(of.taskSid) ?? 'asking' };
  });
  const mounted = React.useRef(true);
  React.useEffect(
    () => () => {
      mounted.current = false;
    },
    [],
  );

  const write = async (report: ConsentReport): Promise<void> => {
    setConsent({ kind: 'writing', report });
    // Who refuses or withdraws is heard at once; who gives, once it is written.
    if (report.decision !== 'given') desk.memory.remember(of.taskSid, 'refused');
    const failure = await desk.send(report);
    if (!failure && report.decision === 'given') desk.memory.remember(of.taskSid, 'given');
    if (!mounted.current) return;
    if (failure) setConsent({ kind: 'unwritten', report, failure });
    else setConsent({ kind: report.decision === 'given' ? 'given' : 'refused' });
  };
  return {
    consent,
    decide: (decision) => void write(consentReport({ ...of, decision }, crypto.randomUUID(), Date.now())),
    retry: () => {
      if (consent.kind === 'unwritten') void write(consent.report);
    },
    askAgain: () => setConsent({ kind: 'asking' }),
  };
}
