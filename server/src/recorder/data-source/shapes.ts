/** Regions of Kinesis Data Streams that an operator can choose; others by `customRegion`. */
export const regions = [
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'us-gov-east-1', 'us-gov-west-1'],
  ...['ca-central-1', 'ca-west-1', 'mx-central-1', 'sa-east-1'],
  ...['eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2'],
  ...['eu-west-1', 'eu-west-2', 'eu-west-3', 'il-central-1', 'me-central-1', 'me-south-1', 'af-south-1'],
  ...['ap-east-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
  ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5'],
  ...['ap-southeast-7', 'cn-north-1', 'cn-northwest-1'],
] as const;

const regionCode = /^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/;

/** AWS's display names have a space or parentheses, as Europe (Frankfurt) has. */
export function regionFault(text: string): string | undefined {
  if (regionCode.test(text)) return undefined;
  return /[\s()]/.test(text) || /^[A-Z][a-z]/.test(text)
    ? "must be the region's code, not its display name"
    : 'must be the code of a region';
}

export interface StreamArn {
  region: string;
  accountId: string;
  name: string;
}

/** Undefined unless the text is the ARN of a Kinesis data stream. */
export function streamArnOf(text: string): StreamArn | undefined {
  const found = /^arn:aws[\w-]*:kinesis:([a-z0-9-]+):(\d{12}):stream\/([\w.-]+)$/.exec(text);
  if (!found) return undefined;
  const [, region = '', accountId = '', name = ''] = found;
  return { region, accountId, name };
}

export function streamFault(text: string): string | undefined {
  if (text.startsWith('arn:'))
    return streamArnOf(text)
      ? undefined
      : 'must be the ARN of a data stream, such as arn:aws:kinesis:eu-central-1:111122223333:stream/twilio-events';
  return /^[\w.-]+$/.test(text) ? undefined : 'must be a name of letters, digits and _ . -, or an ARN';
}

export const isRoleArn = (text: string): boolean =>
  /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text);

/** No language has a longer code than three letters: `English` would be well formed. */
export function isLanguage(text: string): boolean {
  try {
    return /^[A-Za-z]{2,3}(-|$)/.test(text) && Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

/** Offsets such as +01:00 have no name, and no rules for summer time. */
export function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

/** Twilio drops a query, and would send credentials in the clear to its logs. */
export function isWssUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url?.protocol === 'wss:' &&
    !/\s/.test(text) &&
    `${url.search}${url.hash}${url.username}${url.password}` === ''
  );
}
