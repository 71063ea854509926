import { randomBytes } from 'node:crypto';

/** Veridas's token endpoint: its clients, how many tokens it gave, and its faults. */
export interface Veridas {
  /** `client_id` and `client_secret` of the Functions. */
  readonly credentials: { clientId: string; clientSecret: string };
  readonly issued: number;
  readonly refused: number;
  /** Answered in place of a token until it is undefined again. */
  tokenStatus: number | undefined;
  /** What a client gets for its form. */
  token(form: { get(name: string): unknown }): { status: number; body: Record<string, unknown> };
}

/** Seconds. */
const lifetime = 300;

const jwtPart = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function createVeridas(now: () => number = Date.now): Veridas {
  const credentials = { clientId: 'sandbox-veridas', clientSecret: randomBytes(16).toString('hex') };
  let issued = 0;
  let refused = 0;
  const mint = () => {
    const iat = Math.floor(now() / 1000);
    const claims = { iss: 'veridas', sub: credentials.clientId, iat, exp: iat + lifetime, jti: issued };
    return [
      jwtPart({ alg: 'RS256', typ: 'JWT' }),
      jwtPart(claims),
      randomBytes(64).toString('base64url'),
    ].join('.');
  };
  const veridas: Veridas = {
    credentials,
    get issued() {
      return issued;
    },
    get refused() {
      return refused;
    },
    tokenStatus: undefined,
    token(form) {
      if (veridas.tokenStatus !== undefined)
        return { status: veridas.tokenStatus, body: { error: 'temporarily_unavailable' } };
      if (form.get('grant_type') !== 'client_credentials') {
        refused += 1;
        return { status: 400, body: { error: 'unsupported_grant_type' } };
      }
      const { clientId, clientSecret } = credentials;
      if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) {
        refused += 1;
        return { status: 401, body: { error: 'invalid_client' } };
      }
      issued += 1;
      return { status: 200, body: { token_type: 'Bearer', access_token: mint(), expires_in: lifetime } };
    },
  };
  return veridas;
}
