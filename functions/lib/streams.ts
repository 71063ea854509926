import {
  type CallSid,
  CustodyError,
  type StartStreamRequest,
  type StopStreamRequest,
} from '@flex-custody/core';
import type { TwilioApi, TwilioLive } from '@flex-custody/twilio';
import { consentedCall } from './consented-call.ts';
import type { CallConfig, StreamConfig } from './flex-config.ts';
import type { FlexCall } from './flex-endpoint.ts';
import type { Answer } from './runtime.ts';
import { twilioOf } from './twilio-of.ts';
import { ownCall } from './whose-call.ts';

/**
 * How long an answer is given again without asking: for a request that is made twice. No longer: a stream whose receiver hung
 * up, or that a pause stopped, has ended, and Twilio cannot be asked whether one runs.
 */
const rememberedMs = 4_000;

interface Running {
  url: string;
  stream: Promise<string>;
  until: number;
}

const running = new Map<CallSid, Running>();

/** Sends one leg's audio of the agent's own call to an address of the list, if the caller has consented. */
export async function startStream(
  asked: StartStreamRequest,
  { config, viewer, deadline, log }: FlexCall<StreamConfig>,
): Promise<Answer> {
  const url = targetOf(config.targets, asked.url);
  const twilio = twilioOf(config);
  await consentedCall(config, viewer, asked, deadline);
  const streamSid = await once(asked.callSid, url, () => started(twilio, asked.callSid, url));
  log({ outcome: 'started', call: asked.callSid });
  return { status: 200, body: { streamSid } };
}

/** Ends the stream. One that has ended already, with its call or before, counts as ended. */
export async function stopStream(
  { streamSid, ...asked }: StopStreamRequest,
  { config, viewer, log }: FlexCall<CallConfig>,
): Promise<Answer> {
  const twilio = twilioOf(config);
  const { callSid } = asked;
  const live = await ownCall(twilio, viewer, asked).catch((error: unknown) => {
    if (error instanceof CustodyError && error.code === 'call_not_live') return undefined;
    throw error;
  });
  running.delete(callSid);
  // The one that was named may have been replaced since: no stream of this name is left running.
  const bySid =
    live !== undefined && streamSid !== undefined && (await twilio.stopStream(callSid, streamSid));
  const stopped = bySid || (live !== undefined && (await twilio.stopStream(callSid, callSid)));
  log({ outcome: stopped ? 'stopped' : 'gone', call: callSid });
  return { status: 200, body: { stopped: true, ...(streamSid ? { streamSid } : {}) } };
}

/** @throws CustodyError `stream_url_refused` (403): a caller's voice is sent only to an address of the list */
function targetOf(targets: readonly string[], url: string | undefined): string {
  const same = (one: string, other: string) => new URL(one).href === new URL(other).href;
  const target = url === undefined ? targets[0] : targets.find((one) => URL.canParse(url) && same(one, url));
  if (target === undefined)
    throw new CustodyError('stream_url_refused', 'streams may not be sent to this address');
  return target;
}

function once(call: CallSid, url: string, start: () => Promise<string>): Promise<string> {
  const now = Date.now();
  for (const [sid, { until }] of running) if (until <= now) running.delete(sid);
  const known = running.get(call);
  if (known?.url === url) return known.stream;
  const mine: Running = { url, stream: start(), until: now + rememberedMs };
  running.set(call, mine);
  mine.stream.catch(() => {
    if (running.get(call) === mine) running.delete(call);
  });
  return mine.stream;
}

/** Under the call's SID as its name, by which the vendor knows it; one that has this name already makes way. */
async function started(twilio: TwilioApi & TwilioLive, call: CallSid, url: string): Promise<string> {
  const ask = () => twilio.startStream(call, { url, name: call });
  let answer = await ask();
  // Twilio gives no code for the reason. If a stream of this name can be stopped, the name was in use; else the tracks were.
  if (answer === 'refused' && (await twilio.stopStream(call, call))) answer = await ask();
  if (answer === 'not-live') throw new CustodyError('call_not_live', 'the call has just ended');
  if (answer === 'refused') {
    const message = 'Twilio streams four tracks of a call at a time, and this call has as many';
    throw new CustodyError('too_many_streams', message);
  }
  return answer.streamSid;
}
