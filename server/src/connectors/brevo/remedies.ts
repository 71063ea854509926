import { fix, type Verdict } from '../check.ts';
import type { BrevoOutcome } from './brevo-api.ts';

type Failed = Exclude<BrevoOutcome<unknown>, { kind: 'done' }>;

const ofPause = {
  key: [
    'Brevo does not accept the API key',
    'create a key at https://app.brevo.com/settings/keys/api, and store it: flex-custody secrets set CUSTODY_BREVO_API_KEY',
  ],
  address: [
    "Brevo does not accept this host's IP address",
    'add the address from which the host reaches the Internet at https://app.brevo.com/security/authorised_ips, or switch that list off',
  ],
  credits: ['the Brevo account has no credits left', 'buy credits, or change the plan, at Brevo'],
  forbidden: [
    'Brevo forbids the account to do this',
    "look for a notice on Brevo's first page: an account under validation, or a plan without this part",
  ],
} as const;

/** What a request that was not done means, and what to do. */
export function remedyOf(outcome: Failed): Verdict {
  switch (outcome.kind) {
    case 'pause': {
      const [detail, next] = ofPause[outcome.reason];
      return fix(
        `${detail} (${outcome.status}${outcome.code === undefined ? '' : `, ${outcome.code}`})`,
        next,
      );
    }
    case 'later':
      return outcome.status === 429
        ? fix(
            'Brevo has had too many requests of this account (429)',
            waitText(
              outcome.afterMs,
              'look for other programs that use the account; the connector waits by itself',
            ),
          )
        : fix(
            `Brevo gives no answer that can be used${outcome.status === undefined ? '' : ` (${outcome.status})`}`,
            'check https://status.brevo.com, and that https://api.brevo.com is reached from here: firewall, HTTPS_PROXY',
          );
    case 'unknown':
      return fix('the connection to Brevo ended before its answer came', 'run this again');
    case 'refused':
      return fix(
        `Brevo refuses it (${outcome.status}, ${outcome.code}): ${outcome.message}`,
        'correct what it names',
      );
    case 'missing':
      return fix('Brevo does not have it (404)', 'check the ids in the file of CUSTODY_BREVO_FILE');
    case 'collision':
      return fix(
        `two contacts of Brevo would share ${outcome.identifiers.join(', ') || 'an identifier'}`,
        'see `collisions` in docs/brevo.md',
      );
  }
}

const waitText = (ms: number | undefined, rest: string): string =>
  ms === undefined ? rest : `wait ${Math.ceil(ms / 1_000)} s; ${rest}`;
