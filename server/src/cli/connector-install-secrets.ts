import { CustodyError } from '@flex-custody/core';

/** A secret that the connector needs, under the name of its setting. */
export interface InstallSecret {
  name: 'CUSTODY_BREVO_API_KEY' | 'TWILIO_API_SECRET' | 'TWILIO_AUTH_TOKEN';
  /** The option that gives it. */
  option: string;
  /** For a person at the terminal. */
  question: string;
}

/** In the order in which standard input has them, where several options are `-`. */
export const installSecrets = {
  brevo: {
    name: 'CUSTODY_BREVO_API_KEY',
    option: '--brevo-key',
    question: "Brevo's API key (https://app.brevo.com/settings/keys/api): ",
  },
  twilio: {
    name: 'TWILIO_API_SECRET',
    option: '--api-key',
    question: "Secret of Twilio's API key: ",
  },
  token: {
    name: 'TWILIO_AUTH_TOKEN',
    option: '--auth-token',
    question: "Twilio's auth token, which verifies the signatures of webhooks: ",
  },
} as const satisfies Record<string, InstallSecret>;

/** What a literal secret is refused with: process lists and the history of the shell show arguments. */
export const noLiteral = (option: string, name: string): string =>
  `a secret must not be on the command line, which other users can see: leave ${option} without a value to be asked, give - to read it from standard input, or run flex-custody secrets set ${name}`;

/** Lines of standard input, one for each secret that is read from it. */
export function linesOf(text: string, wanted: number): string[] {
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  if (lines.length === wanted && lines.every((line) => line !== '')) return lines;
  throw new CustodyError(
    'secret_invalid',
    `standard input must have ${wanted === 1 ? 'one line' : `${wanted} lines: ${order}`}; nothing was stored`,
  );
}

const order = "Brevo's key, the secret of Twilio's API key, the auth token, as far as they are given as -";
