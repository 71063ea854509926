import { asCallSid, asConferenceSid, asRecordingSid } from '@flex-custody/core';
import type { AgentEvent } from '../../../events/agent-event.ts';
import type { Fact } from './fact.ts';
import { keysOf, sidKey } from './link-key.ts';
import { clientUri, present } from './task-router.ts';
import { asCount, asFlag, asText, asTime, type Fields, fieldsIn } from './values.ts';

const sidsInUrl = /(?<=\/)[A-Z]{2}[0-9a-f]{32}(?=[/.?]|$)/g;

/**
 * Reads `com.twilio.voice.<name>`: what a status callback, a request or TwiML had as parameters.
 * @param name also of the deprecated `voice.webhook.*`, without `webhook.`
 */
export function readVoice(event: AgentEvent, name: string): Fact | undefined {
  const request = fieldsIn(event.data['request']);
  const parameters = fieldsIn(request('parameters') ?? event.data['parameters'] ?? event.data);
  const inUrl = asText(request('url'))?.match(sidsInUrl) ?? [];
  const ofUrl = (prefix: string) => sidKey(inUrl.find((sid) => sid.startsWith(prefix)));
  // Twilio sends ParticipantSid in place of CallSid now and then.
  const callSid =
    asCallSid(parameters('CallSid')) ?? asCallSid(parameters('ParticipantSid')) ?? asCallSid(ofUrl('CA'));
  const conferenceSid = asConferenceSid(parameters('ConferenceSid')) ?? asConferenceSid(ofUrl('CF'));
  const recordingSid = asRecordingSid(parameters('RecordingSid')) ?? asRecordingSid(ofUrl('RE'));
  const common = {
    id: event.id,
    at: momentOf(event, parameters),
    // Flex names a conference after its task, and requests name it so in their URL.
    keys: keysOf(
      callSid,
      conferenceSid,
      recordingSid,
      sidKey(parameters('FriendlyName')),
      ofUrl('WT'),
      sidKey(parameters('ParentCallSid')),
      sidKey(parameters('DialCallSid')),
      sidKey(parameters('TaskSid')),
    ),
  };
  if (common.keys.length === 0) return undefined;
  if (/^status-callback\.conference[.-]/.test(name)) {
    return {
      ...common,
      kind: 'conference',
      name: asText(parameters('StatusCallbackEvent'))?.toLowerCase() ?? '',
      ofCustomer: asText(parameters('ParticipantLabel'))?.toLowerCase() === 'customer',
      ...present({
        conferenceSid,
        callSid,
        sequence: asCount(parameters('SequenceNumber')),
        hold: asFlag(parameters('Hold')),
      }),
    };
  }
  if (name.startsWith('status-callback.call.')) {
    return {
      ...common,
      kind: 'call',
      name: name.slice(name.lastIndexOf('.') + 1),
      ...present({
        callSid,
        status: asText(parameters('CallStatus'))?.toLowerCase(),
        direction: directionOf(asText(parameters('Direction'))?.toLowerCase()),
        agentUri: clientUri(parameters('To')) ?? clientUri(parameters('Called')),
      }),
    };
  }
  if (/^api-request\.conference[.-]participant\.modified$/.test(name)) {
    const on = asFlag(parameters('Hold'));
    if (on === undefined) return { ...common, kind: 'bare' };
    return { ...common, kind: 'hold', source: 'api-request', on, ...present({ callSid, conferenceSid }) };
  }
  if (name === 'status-callback.recording.processed' && recordingSid) {
    return {
      ...common,
      kind: 'recording',
      recordingSid,
      ...present({
        callSid,
        startedAt: asTime(parameters('RecordingStartTime')),
        duration: asCount(parameters('RecordingDuration')),
      }),
    };
  }
  if (name === 'twiml.enqueue.finished') {
    return {
      ...common,
      kind: 'enqueue',
      ...present({
        callSid,
        queueSeconds: asCount(parameters('QueueTime')),
        result: asText(parameters('QueueResult')),
      }),
    };
  }
  if (name.startsWith('insights.')) return readSummary(common, parameters, { callSid, conferenceSid });
  return { ...common, kind: 'bare' };
}

/** @param direction `inbound`, `outbound-api` or `outbound-dial` */
function directionOf(direction: string | undefined): 'inbound' | 'outbound' | undefined {
  if (direction === 'inbound') return direction;
  return direction?.startsWith('outbound') ? 'outbound' : undefined;
}

function readSummary(
  common: { id: string; at: number; keys: readonly string[] },
  parameters: Fields,
  sids: { callSid: ReturnType<typeof asCallSid>; conferenceSid: ReturnType<typeof asConferenceSid> },
): Fact {
  return { ...common, kind: 'summary', ...present({ ...sids, endedAt: asTime(parameters('end_time')) }) };
}

/**
 * Epoch ms. The parameter `Timestamp` is in whole seconds; the envelope's time is finer and may be late. Within a second
 * of each other both mean one moment.
 */
function momentOf(event: AgentEvent, parameters: Fields): number {
  const at = event.time.getTime();
  const stated = asTime(parameters('Timestamp'));
  return stated === undefined || Math.abs(stated - at) <= 1_000 ? at : stated;
}
