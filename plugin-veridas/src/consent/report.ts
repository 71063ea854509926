import type { CallSid, Report, ReservationSid, TaskSid } from '@flex-custody/core';

export type ConsentReport = Extract<Report, { kind: 'consent' }>;
export type ConsentDecision = ConsentReport['decision'];

/** Why the host did not write the decision down. */
export type ReportFailure = 'host-unset' | 'unreachable' | 'session-refused' | 'host-failed';

export interface Decided {
  decision: ConsentDecision;
  taskSid: TaskSid;
  reservationSid: ReservationSid | undefined;
  callSid: CallSid;
}

/** Made once for each decision, so that asking the host again counts once. */
export function consentReport(
  { decision, taskSid, reservationSid, callSid }: Decided,
  id: string,
  at: number,
): ConsentReport {
  return {
    id,
    at,
    kind: 'consent',
    purpose: 'voice-enrolment',
    decision,
    taskSid,
    callSid,
    ...(reservationSid ? { reservationSid } : {}),
  };
}

export interface ReportTo {
  hostUrl: string | undefined;
  /** Read when it is sent: the token is refreshed while the agent works. */
  token: () => string;
  fetch: (url: string, init: RequestInit) => Promise<{ ok: boolean; status: number }>;
  /** @default 10 s */
  timeoutMs?: number;
}

/**
 * Has the host write a decision into its audit trail.
 * @returns undefined once it is written; else why not, and the same report may be sent again
 */
export async function sendReport(report: ConsentReport, to: ReportTo): Promise<ReportFailure | undefined> {
  if (to.hostUrl === undefined) return 'host-unset';
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), to.timeoutMs ?? 10_000);
  try {
    const { ok, status } = await to.fetch(`${to.hostUrl}/reports`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${btoa(`token:${to.token()}`)}`,
      },
      body: JSON.stringify(report),
      signal: controller.signal,
      credentials: 'omit',
      redirect: 'error',
    });
    if (ok) return undefined;
    return status === 401 || status === 403 ? 'session-refused' : 'host-failed';
  } catch {
    return 'unreachable';
  } finally {
    clearTimeout(timer);
  }
}
