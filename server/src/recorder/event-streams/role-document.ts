/** Twilio's own account at AWS, which puts the events into the stream. Source: https://www.twilio.com/docs/events */
const twilioPrincipal = 'arn:aws:iam::009145568234:root';

/** What the operator creates in AWS so that Twilio may write to the stream. */
export interface RoleDocument {
  trust: object;
  permissions: object;
}

export function roleDocument({ arn, externalId }: { arn: string; externalId: string }): RoleDocument {
  const Version = '2012-10-17';
  return {
    trust: {
      Version,
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: twilioPrincipal },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'sts:ExternalId': externalId } },
        },
      ],
    },
    permissions: {
      Version,
      Statement: [
        {
          Effect: 'Allow',
          Action: ['kinesis:PutRecord', 'kinesis:PutRecords', 'kinesis:ListShards'],
          Resource: arn,
        },
        // AWS takes no resource for it.
        { Effect: 'Allow', Action: 'kinesis:DescribeLimits', Resource: '*' },
      ],
    },
  };
}
