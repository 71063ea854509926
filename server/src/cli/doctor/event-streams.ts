import { lookAtStream } from '../../recorder/event-streams/look.ts';
import { description } from '../../recorder/event-streams/wanted-sink.ts';
import { advice, note, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const named = 5;

/** Whether Event Streams delivers all that the host handles: by the host's sink for its webhook, or for Kinesis. */
export async function eventStreams({ config, twilio }: Scene): Promise<Seen> {
  const destination = `${config.publicUrl}/events`;
  const own = (await twilio.sinks()).filter(
    (sink) =>
      sink.description === description &&
      (sink.type === 'kinesis' || sink.configuration['destination'] === destination),
  );
  const found = own.find(({ status }) => status === 'active') ?? own[0];
  if (!found)
    return note(
      'not set up: no agents’ events arrive',
      'flex-custody recorder setup, if the recorder is used',
    );
  const command = `flex-custody recorder setup --sink ${found.type}`;
  if (found.status !== 'active') throw advice(`the sink ${found.sid} is ${found.status}`, command);
  const type = found.type === 'kinesis' ? 'kinesis' : 'webhook';
  const { subscription, foreign, types } = await lookAtStream(twilio, { ...found, type });
  if (!subscription)
    throw advice(
      foreign
        ? `the sink ${found.sid} has a subscription of another owner, ${foreign.sid}`
        : `the sink ${found.sid} has no subscription`,
      command,
    );
  const lacking = [...types.missing, ...types.outdated].map((one) => one.type);
  if (lacking.length > 0) {
    const more = lacking.length > named ? ` and ${lacking.length - named} more` : '';
    throw advice(`the subscription lacks ${lacking.slice(0, named).join(', ')}${more}`, command);
  }
  const what = `${type}, active; the subscription is complete`;
  return types.notOffered.length > 0
    ? note(`${what}, but Twilio does not offer ${types.notOffered.join(', ')}`)
    : what;
}
