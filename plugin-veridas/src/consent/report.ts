import {
  type CallSid,
  type ConferenceSid,
  jsonFields,
  type Report,
  type ReservationSid,
  type TaskSid,
} from '@flex-custody/core';

export type ConsentReport = Extract<Report, { kind: 'consent' }>;
export type ConsentDecision = ConsentReport['decision'];

/** Why the host did not write the decision down. */
export type ReportFailure =
  | 'host-unset'
  | 'unreachable'
  | 'session-refused'
  | 'not-your-call'
  | 'host-failed';

export interface Decided {
  decision: ConsentDecision;
  taskSid: TaskSid;
  reservationSid: ReservationSid | undefined;
  callSid: CallSid;
  /** Where the host may look for the call; Flex knows it once the agent has joined. */
  conferenceSid?: ConferenceSid | undefined;
}

/** Made once for each decision, so that asking the host again counts once. */
export function consentReport(
  { decision, taskSid, reservationSid, callSid, conferenceSid }: Decided,
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
    ...(conferenceSid ? { conferenceSid } : {}),
  };
}

export interface ReportTo {
  hostUrl: string | undefined;
  /** Read when it is sent: the token is refreshed while the agent works. */
  token: () => string;
  fetch: (url: string, init: RequestInit) => Promise<{ status: number; text(): Promise<string> }>;
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
    const answer = await to.fetch(`${to.hostUrl}/reports`, {
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
    // Anything else, 202 too, is not yet written: the Functions would refuse to stream.
    if (answer.status === 200) return undefined;
    return failureOf(answer.status, await answer.text());
  } catch {
    return 'unreachable';
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(status: number, body: string): ReportFailure {
  // The host looked for the call at Twilio and found the agent not on it: signing in again changes nothing.
  const { error } = jsonFields(body);
  if (status === 403 && (error === 'not_your_call' || error === 'task_unknown')) return 'not-your-call';
  return status === 401 || status === 403 ? 'session-refused' : 'host-failed';
}
