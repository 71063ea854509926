import { CustodyError } from '@flex-custody/core';
import type { TwilioSink } from '@flex-custody/twilio';

/** By this text, and by where it delivers, the host knows its own sink. */
export const description = 'flex-custody recorder';

export type WantedSink = Pick<TwilioSink, 'description' | 'configuration'> & { type: 'webhook' | 'kinesis' };

export interface KinesisSink {
  arn: string;
  /** Both are needed, but for a removal. */
  roleArn?: string;
  externalId?: string;
}

export const streamArn = /^arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream\/[\w.-]{1,128}$/;
export const roleArn = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;

/**
 * @param stream undefined for the webhook of this host
 * @throws CustodyError `event_sink_invalid`
 */
export function wantedSink(publicUrl: string, stream?: KinesisSink): WantedSink {
  if (!stream) {
    const destination = `${publicUrl}/events`;
    return {
      description,
      type: 'webhook',
      configuration: { destination, method: 'POST', batch_events: true },
    };
  }
  if (!streamArn.test(stream.arn))
    throw new CustodyError('event_sink_invalid', 'the stream is no ARN of a Kinesis data stream');
  const { arn, roleArn: role, externalId } = stream;
  if (role !== undefined && !roleArn.test(role))
    throw new CustodyError('event_sink_invalid', 'the role is no ARN of an IAM role');
  if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1024}$/.test(externalId))
    throw new CustodyError('event_sink_invalid', 'the external id is no external id of AWS');
  const configuration = {
    arn,
    ...(role !== undefined && { role_arn: role }),
    ...(externalId !== undefined && { external_id: externalId }),
  };
  return { description, type: 'kinesis', configuration };
}

const placeOf = ({ type, configuration }: Pick<TwilioSink, 'type' | 'configuration'>): unknown =>
  configuration[type === 'kinesis' ? 'arn' : 'destination'];

/** Whether the host made this sink, for the same place. */
export const isOwn = (sink: TwilioSink, wanted: WantedSink): boolean =>
  sink.description === wanted.description && sink.type === wanted.type && placeOf(sink) === placeOf(wanted);

/** Names of what differs; Twilio cannot change the configuration of a sink. */
export const differing = (sink: TwilioSink, wanted: WantedSink): string[] =>
  Object.entries(wanted.configuration).flatMap(([name, value]) => {
    const found = sink.configuration[name];
    // Twilio leaves out what it does not keep, and gives the method in its own case.
    const same = found === undefined || String(found).toUpperCase() === String(value).toUpperCase();
    return same || (typeof value === 'string' && found === value) ? [] : [name];
  });
