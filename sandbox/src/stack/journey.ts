import type { Stack } from './index.ts';
import { type Listened, listenAsInsights } from './listen.ts';

export interface CallSummary {
  task: string;
  recordings: readonly string[];
}

/** The last line of `npm start -- --exit`. */
export interface Summary {
  recording: string;
  sealed: boolean;
  linked: boolean;
  verified: boolean;
  /** Whether the bytes that were played are Twilio's own, whole and by a range. */
  played: boolean;
  /** From the call to its last byte played. */
  ms: number;
}

export interface CallOptions {
  seconds: number;
  channels?: 1 | 2;
}

/** Asks the sandbox for a call that rang, was accepted with recording on, and ended. */
export async function makeCall(stack: Stack, options: CallOptions): Promise<CallSummary> {
  return await post<CallSummary>(stack, '/sandbox/calls', {
    seconds: options.seconds,
    channels: options.channels ?? 2,
    transfer: false,
    direction: 'inbound',
  });
}

/**
 * Follows one recording to its end. What the host says of it is only waited for; whether it is so is read where anyone
 * can see it: in the bucket, in the task, and by listening.
 */
export async function follow(stack: Stack, call: CallSummary, withinMs: number): Promise<Summary> {
  const began = performance.now();
  const [recording] = call.recordings;
  if (!recording) throw new Error('the call has no recording');
  const settled = new Set(['recording.verified', 'recording.failed', 'recording.absent']);
  const end = await stack.events.until(
    (event) => event.recording === recording && settled.has(event.event),
    `${recording} verified`,
    withinMs,
  );
  const [sealed, linked, listened] = await Promise.all([
    isSealed(stack, recording),
    isLinked(stack, call.task, recording),
    listen(stack, recording),
  ]);
  const source = await get<{ media: Record<'1' | '2', { sha256: string; bytes: number } | undefined> }>(
    stack,
    `/sandbox/recordings/${recording}`,
  );
  const original = source.media['2'] ?? source.media['1'];
  return {
    recording,
    sealed,
    linked,
    verified: end.event === 'recording.verified',
    played: listened.rangeMatches && original?.sha256 === listened.sha256,
    ms: Math.round(performance.now() - began),
  };
}

/** Plays it as Flex Insights does for a supervisor. */
export async function listen(stack: Stack, recording: string): Promise<Listened> {
  const { token } = await post<{ token: string }>(stack, '/sandbox/tokens', { roles: ['supervisor'] });
  return listenAsInsights({
    urlProvider: `${stack.urls.server}/url-provider?recording=${recording}`,
    token,
    origin: stack.urls.sandbox,
  });
}

/** An object is there, and it is not the audio itself. */
async function isSealed(stack: Stack, recording: string): Promise<boolean> {
  const { objects } = await get<{ objects: { key: string; head?: string }[] }>(stack, '/sandbox/bucket');
  const object = objects.find(({ key }) => key.endsWith(`/${recording}`));
  return object !== undefined && !(object.head ?? '').startsWith(Buffer.from('RIFF').toString('hex'));
}

async function isLinked(stack: Stack, task: string, recording: string): Promise<boolean> {
  const held = await get<{ attributes: unknown }>(stack, `/sandbox/tasks/${task}`);
  const attributes = typeof held.attributes === 'string' ? held.attributes : JSON.stringify(held.attributes);
  return attributes.includes(`/url-provider?recording=${recording}`);
}

async function get<T>(stack: Stack, path: string): Promise<T> {
  return read<T>(await fetch(`${stack.urls.sandbox}${path}`), path);
}

async function post<T>(stack: Stack, path: string, body: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return read<T>(
    await fetch(`${stack.urls.sandbox}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
    path,
  );
}

async function read<T>(response: Response, path: string): Promise<T> {
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
