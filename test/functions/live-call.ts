import type { PlacedCall } from '../../sandbox/src/calls.ts';
import { newSid } from '../../sandbox/src/sids.ts';
import type { FunctionsWorld } from './world.ts';

export interface Answered {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Headers;
}

export interface Live extends PlacedCall {
  agent: PlacedCall['reservations'][number];
  /** Who is not on this call. */
  other: string;
}

/** A call that lasts: it is placed, and what its end changed is taken back. */
export async function liveCall(world: FunctionsWorld, options: Record<string, unknown> = {}): Promise<Live> {
  const call = (await world.call({ seconds: 2, ...options })) as unknown as PlacedCall;
  const { calls, conferences, recordings, reservations, tasks, workers } = world.sandbox.twilio.world;
  const conference = conferences.get(call.conference)!;
  conference.status = 'in-progress';
  for (const participant of conference.participants) {
    participant.status = 'connected';
    Object.assign(calls.get(participant.callSid)!, { status: 'in-progress', endedAt: null });
  }
  for (const sid of call.recordings) Object.assign(recordings.get(sid)!, { status: 'in-progress' });
  for (const { reservation } of call.reservations) reservations.get(reservation)!.status = 'accepted';
  tasks.get(call.task)!.status = 'assigned';
  const taking = call.reservations.map(({ worker }) => worker);
  const other = [...workers.keys()].find((worker) => !taking.includes(worker))!;
  return { ...call, agent: call.reservations[0]!, other };
}

/** Ends it for good, so that no later test finds it among the worker's own. */
export function endCall(world: FunctionsWorld, { conference, reservations }: Live): void {
  const { calls, conferences, reservations: all } = world.sandbox.twilio.world;
  conferences.get(conference)!.status = 'completed';
  for (const { callSid } of conferences.get(conference)!.participants)
    calls.get(callSid)!.status = 'completed';
  for (const { reservation } of reservations) all.get(reservation)!.status = 'completed';
}

/** One more recording of a leg, or of the conference, that runs. */
export function record(world: FunctionsWorld, call: string, conference: string | null = null): string {
  const { recordings } = world.sandbox.twilio.world;
  const [pattern] = recordings.values();
  const sid = newSid('RE');
  const { media: _, ...rest } = pattern!;
  recordings.set(sid, { ...rest, sid, callSid: call, conferenceSid: conference, status: 'in-progress' });
  return sid;
}

export async function tokenOf(world: FunctionsWorld, worker: string, more: object = {}): Promise<string> {
  const asked = { roles: ['agent'], worker_sid: worker, ...more };
  return (await world.control<{ token: string }>('tokens', asked)).token;
}

/** Asks as the plugins do, with a form; `origin` as a browser sends it. */
export async function ask(
  world: FunctionsWorld,
  path: string,
  form: Record<string, string>,
  origin?: string,
): Promise<Answered> {
  const response = await fetch(`${world.url}/${path}`, {
    method: 'POST',
    headers: origin === undefined ? {} : { origin },
    body: new URLSearchParams(form),
  });
  return answered(response);
}

export async function answered(response: Response): Promise<Answered> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, body, text, headers: response.headers };
}
