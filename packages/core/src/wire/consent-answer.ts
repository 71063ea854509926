import { asBoolean, readFields } from './fields.ts';

/** Answer of the host's `GET /consents/CF…`, which the Functions ask (signed) before a voice goes to the vendor. */
export interface ConsentAnswer {
  /** False where the site has another lawful basis than the caller's consent. */
  required: boolean;
  /** The newest decision of this call's caller is that they agree. */
  standing: boolean;
  /** The call's recording is paused: no audio of it may be streamed either. */
  paused: boolean;
}

/** Undefined where a field is missing: nothing that the host did not say is a consent. */
export function readConsentAnswer(answer: unknown): ConsentAnswer | undefined {
  return readFields(answer, ({ needed }) => ({
    required: needed('required', asBoolean),
    standing: needed('standing', asBoolean),
    paused: needed('paused', asBoolean),
  }));
}
