import type { CallSid, ConferenceSid, WorkerSid } from './sids.ts';

/** A leg of a conference as Twilio's API states it: the participant, and where its call was dialled to. */
export interface ConferenceLeg {
  callSid: CallSid;
  /** `client:<identity>` for a Flex worker, else a number or SIP address. */
  to: string;
}

/** A conference in progress, by Twilio's word. */
export interface LiveConference {
  sid: ConferenceSid;
  legs: readonly ConferenceLeg[];
}

/** The holder of a Flex token, as Twilio's IAM states it. */
export interface LegHolder {
  /** Encoded as in a client address: `agent_40example_2Ecom`. */
  identity: string;
  workerSid?: WorkerSid;
}

/**
 * The leg that the holder has in this conference, by Twilio's facts alone: what attributes or a request say does not count.
 * The last one where a rejoin left several.
 */
export function ownLeg(conference: LiveConference, holder: LegHolder): CallSid | undefined {
  const address = `client:${holder.identity}`;
  return conference.legs.filter((leg) => leg.to === address).at(-1)?.callSid;
}

/** True where the call is one of this conference's legs. */
export function hasLeg(conference: LiveConference, call: CallSid): boolean {
  return conference.legs.some((leg) => leg.callSid === call);
}
