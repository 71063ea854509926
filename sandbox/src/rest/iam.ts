import { randomBytes } from 'node:crypto';
import type { FlexToken, World } from '../world.ts';
import { ownAccount } from './format.ts';
import { onHost, type RestApp, type RestDeps } from './route.ts';

/**
 * Flex tokens. The shape of the answers is the one that `twilio-flex-token-validator` 1.6.0 and Twilio's guide show;
 * Twilio's OpenAPI has nothing on them.
 */
export function iamRoutes(app: RestApp, { world, events }: RestDeps): void {
  app.post('/v1/Accounts/:account/Tokens/validate', onHost('iam'), async (request) => {
    ownAccount(world, request);
    const { token } = (request.body ?? {}) as { token?: unknown };
    const known = typeof token === 'string' ? world.tokens.get(token) : undefined;
    const valid = known !== undefined && known.expiresAt.getTime() > Date.now();
    events.emit('token.validated', { valid, ...(known ? { identity: known.identity } : {}) });
    if (!known || !valid) {
      return {
        valid: false,
        code: 20101,
        message: known ? 'Token is expired' : 'Token is not valid',
        expiration: null,
        realm_user_id: null,
        identity: null,
        roles: null,
        worker_sid: null,
      };
    }
    return {
      valid: true,
      code: 0,
      message: null,
      expiration: known.expiresAt.toISOString(),
      realm_user_id: known.identity,
      identity: known.identity,
      roles: known.roles,
      worker_sid: known.workerSid,
    };
  });
}

/** Five parts and some 6 kB, as a Flex JWE has; what is in it only the world knows. */
export function mintToken(world: World, token: FlexToken): string {
  const part = (bytes: number) => randomBytes(bytes).toString('base64url');
  const head = Buffer.from(JSON.stringify({ alg: 'RSA-OAEP', enc: 'A256CBC-HS512', kid: part(12) }));
  const jwe = [head.toString('base64url'), part(256), part(16), part(4096), part(32)].join('.');
  world.tokens.set(jwe, token);
  return jwe;
}
