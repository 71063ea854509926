import { CustodyError } from '@flex-custody/core';
import { iamLimitMs } from '@flex-custody/twilio';
import { mayPlayEverything } from '../../access/may.ts';
import { advice, fixFirst, note, type Seen } from './finding.ts';
import { orUndefined, type Scene } from './scene.ts';

export async function account(scene: Scene): Promise<Seen> {
  const found = await scene.account();
  if (!found)
    throw advice(
      'there is no such account',
      'correct TWILIO_ACCOUNT_SID (https://console.twilio.com, Account Info)',
    );
  if (found.status !== 'active')
    throw advice(`the account is ${found.status}`, 'activate it in the Twilio Console');
  const key = scene.config.apiKey ? 'by API key' : 'by auth token';
  return `${found.friendlyName}, active, ${key}`;
}

/** Compares the workspace with the one that Flex names: any other one has neither Flex's tasks nor its workers. */
export async function workspace(scene: Scene): Promise<Seen> {
  const [found, flex] = await Promise.all([scene.twilio.workspace(), orUndefined(scene.flex())]);
  if (!found)
    throw advice(
      'the account has no such workspace',
      "set TWILIO_WORKSPACE_SID to Flex's (Twilio Console: TaskRouter, Workspaces)",
    );
  const flexs = flex?.workspaceSid;
  if (flexs === undefined)
    return note(`${found.friendlyName}; whether it is Flex's is not known`, fixFirst('flex'));
  if (flexs === scene.config.workspaceSid) return `${found.friendlyName}, Flex's own`;
  throw advice(
    `${found.friendlyName} is not the workspace that Flex works in`,
    `set TWILIO_WORKSPACE_SID to ${flexs}`,
  );
}

/** Has the form of a Flex token, but belongs to no user. */
const nobodys = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..flex-custody.doctor.none';

/** Any verdict, even a refusal, proves network and credentials: IAM answers only an account's own. */
export async function iam({ flexTokens, options }: Scene): Promise<Seen> {
  if (options.token !== undefined) {
    const viewer = await flexTokens.validate(options.token).catch((error: unknown) => {
      throw isOfToken(error)
        ? advice('the token that was given is refused', 'use a new one: a Flex token is valid for an hour')
        : withNextStep(error);
    });
    const plays = mayPlayEverything(viewer) ? 'plays every recording' : 'plays at most own calls';
    return `${viewer.identity} (${viewer.roles.join(', ') || 'no role'}) ${plays}`;
  }
  const asked = performance.now();
  try {
    await flexTokens.validate(nobodys);
  } catch (error) {
    if (!isOfToken(error)) throw withNextStep(error);
    const detail = 'answers, and refuses a false Flex token';
    return performance.now() - asked < iamLimitMs
      ? detail
      : note(
          `${detail}, but took longer than the ${iamLimitMs / 1_000} s that the host waits`,
          'run flex-custody doctor --only iam again; if it stays slow, check the network to iam.twilio.com',
        );
  }
  throw advice('a false Flex token is accepted', 'stop: find out what answers as iam.twilio.com');
}

const isOfToken = (error: unknown): boolean =>
  error instanceof CustodyError && /^token_(refused|malformed|missing)$/.test(error.code);

function withNextStep(error: unknown): unknown {
  if (!(error instanceof CustodyError) || error.code !== 'iam_unavailable') return error;
  return advice(
    error.message.replace(/: (\w+)$/, ' ($1)'),
    'check the credentials, TWILIO_REALM, and that iam.twilio.com is reachable from here',
  );
}

/** Our signatures are valid for 300 s, and up to 60 s ahead; S3's for 15 minutes. A clock that is off drifts further. */
const mostAheadMs = 30_000;

export async function clock(scene: Scene): Promise<Seen> {
  const [twilio, bucket] = await Promise.all([orUndefined(scene.account()), orUndefined(scene.bucket())]);
  const clocks: [string, number | undefined][] = [
    ['Twilio', twilio?.aheadMs],
    ['S3', bucket?.aheadMs],
  ];
  const known = clocks.flatMap(([name, ms]) => (ms === undefined ? [] : [{ name, ms }]));
  if (known.length === 0)
    return note('not known: neither Twilio nor S3 answered', fixFirst('account', 'bucket'));
  const off = known.filter(({ ms }) => Math.abs(ms) > mostAheadMs);
  if (off.length === 0)
    return `within ${mostAheadMs / 1_000} s of ${known.map(({ name }) => name).join(' and ')}`;
  const words = off.map(
    ({ name, ms }) => `${Math.round(Math.abs(ms) / 1_000)} s ${ms > 0 ? 'behind' : 'ahead of'} ${name}`,
  );
  throw advice(
    `this clock is ${words.join(' and ')}`,
    'set the clock by NTP, for example timedatectl set-ntp true: signatures fail when it is a minute off',
  );
}
