import {
  createFlexTokens,
  createTwilio,
  type FlexConfiguration,
  type FlexTokens,
  iamLimitMs,
  type TwilioApi,
  type TwilioEventStreams,
  type TwilioFlexConfiguration,
  type TwilioFlexPlugins,
} from '@flex-custody/twilio';
import { type BucketLook, lookAtBucket } from '@flex-custody/vault';
import { type Config, twilioCredentials } from '../../config.ts';
import type { Health } from '../../http/operators/health.ts';
import type { SealedSecret } from '../../secrets/sealed-secrets.ts';
import { type DatabaseFacts, factsOf } from './facts-of.ts';

export interface DoctorOptions {
  /** A Flex token, to be validated and described. */
  token?: string;
  /** The Functions' address, where it is another than the Flex configuration says. */
  functionsUrl?: string;
  /** `s3://bucket/prefix` of an archive that is to be imported. */
  importFrom?: string;
  /** Sends a signed test to CUSTODY_ALARM_WEBHOOK. */
  testWebhook?: boolean;
}

/** What the checks read. An answer that several of them need is requested once. */
export interface Scene {
  readonly config: Config;
  readonly options: DoctorOptions;
  readonly twilio: TwilioApi & TwilioFlexConfiguration & TwilioFlexPlugins & TwilioEventStreams;
  readonly flexTokens: FlexTokens;
  account(): ReturnType<TwilioApi['account']>;
  flex(): Promise<FlexConfiguration | undefined>;
  bucket(): Promise<BucketLook>;
  health(): Promise<Health | 'locked'>;
  /** The stored secrets, sealed. */
  secrets(): Promise<readonly SealedSecret[] | 'locked' | undefined>;
}

/** @param more replaces parts of it in tests */
export function setScene(config: Config, options: DoctorOptions, more: Partial<Scene> = {}): Scene {
  const { accountSid, workspaceSid } = config;
  const facts = once(() => factsOf(config));
  const ofFacts = async <K extends keyof DatabaseFacts>(of: K): Promise<DatabaseFacts[K] | 'locked'> => {
    const found = await facts();
    return found === 'locked' ? found : found[of];
  };
  const twilio = createTwilio({ accountSid, workspaceSid, ...twilioCredentials(config) });
  return {
    config,
    options,
    twilio,
    // Longer than for a listener: the doctor sends all its requests at the same time.
    flexTokens: createFlexTokens({ ...config, timeoutMs: 2 * iamLimitMs }),
    account: once(() => twilio.account()),
    flex: once(() => twilio.flexConfiguration()),
    bucket: once(() => lookAtBucket(config.store)),
    health: () => ofFacts('health'),
    secrets: () => ofFacts('secrets'),
    ...more,
  };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask();
    return asked;
  };
}

/** For data whose failure another check reports. */
export const orUndefined = <T>(work: Promise<T>): Promise<T | undefined> => work.catch(() => undefined);
