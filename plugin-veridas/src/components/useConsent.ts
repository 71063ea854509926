import type { CallSid, ConferenceSid, ReservationSid, TaskSid } from '@flex-custody/core';
import * as React from 'react';
import { type Consent, standing, write } from '../consent/gate';
import { type ConsentDecision, type ConsentReport, consentReport } from '../consent/report';
import type { PanelDeps } from '../panel-deps';

export interface ConsentOf {
  taskSid: TaskSid;
  reservationSid: ReservationSid | undefined;
  callSid: CallSid;
  conferenceSid: ConferenceSid | undefined;
}

export interface ConsentSteps {
  consent: Consent;
  decide(decision: ConsentDecision): void;
  /** Sends what could not be written once more. */
  retry(): void;
  askAgain(): void;
}

/** The gate of one task, as a component sees it. */
export function useConsent(deps: PanelDeps, of: ConsentOf): ConsentSteps {
  const [consent, setConsent] = React.useState<Consent>(() => standing(deps, of.taskSid));
  const mounted = React.useRef(true);
  React.useEffect(
    () => () => {
      mounted.current = false;
    },
    [],
  );
  const written = (report: ConsentReport) =>
    void write(report, deps, (now) => {
      if (mounted.current) setConsent(now);
    });
  return {
    consent,
    decide: (decision) => written(consentReport({ ...of, decision }, crypto.randomUUID(), Date.now())),
    retry: () => {
      if (consent.kind === 'unwritten') written(consent.report);
    },
    askAgain: () => setConsent({ kind: 'asking' }),
  };
}
