/** How the double answers where Brevo's own answer is unverified, or depends on the account. */
export interface BrevoSettings {
  plan: 'general' | 'advanced' | 'extended';
  /** All limits of the plan are multiplied by it, so that a load test ends. */
  limits: number;
  /** A window begins at each second (or hour) of the clock, or ends with each request: the strictest reading. */
  windows: 'fixed' | 'sliding';
  /** Of attributes that the account does not have. */
  unknownAttributes: 'ignore' | 'refuse';
  /** Brevo was seen to answer both; `both`: by turns. */
  collisionCode: 'duplicate_parameter' | 'invalid_parameter' | 'both';
  /** Whether a collision names its identifiers. */
  collisionMetadata: boolean;
  /** Which identifiers may make a contact: email, ext_id and SMS, as Brevo documents, or any. */
  creates: 'documented' | 'any';
  /** Which identifiers find the contact that a POST means: the first that is given, or any. */
  identify: 'first' | 'any';
  /** What becomes of an event whose contact Brevo does not have. */
  unknownContacts: 'drop' | 'create' | 'refuse';
  /** An event is listed once so many more requests have come, and so many ms are over. */
  appearAfterRequests: number;
  appearAfterMs: number;
  /** What every request of the account is refused for. */
  refuses: 'nothing' | 'key' | 'address' | 'credits' | 'forbidden';
}

export const usualSettings: Readonly<BrevoSettings> = {
  plan: 'general',
  limits: 1,
  windows: 'fixed',
  unknownAttributes: 'ignore',
  collisionCode: 'duplicate_parameter',
  collisionMetadata: true,
  creates: 'documented',
  identify: 'first',
  unknownContacts: 'drop',
  appearAfterRequests: 0,
  appearAfterMs: 0,
  refuses: 'nothing',
};

/** What a setting may be: one of a few words, a number of a range, or true and false. */
export const settingValues: {
  readonly [K in keyof BrevoSettings]: readonly BrevoSettings[K][] | { least: number; most: number };
} = {
  plan: ['general', 'advanced', 'extended'],
  limits: { least: 0.001, most: 10_000 },
  windows: ['fixed', 'sliding'],
  unknownAttributes: ['ignore', 'refuse'],
  collisionCode: ['duplicate_parameter', 'invalid_parameter', 'both'],
  collisionMetadata: [true, false],
  creates: ['documented', 'any'],
  identify: ['first', 'any'],
  unknownContacts: ['drop', 'create', 'refuse'],
  appearAfterRequests: { least: 0, most: 1_000_000 },
  appearAfterMs: { least: 0, most: 3_600_000 },
  refuses: ['nothing', 'key', 'address', 'credits', 'forbidden'],
};
