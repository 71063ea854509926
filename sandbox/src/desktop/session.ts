import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { Refused } from '../refused.ts';
import type { FlexToken, Worker, World } from '../world.ts';
import { type Activity, activities } from './shapes.ts';

/** Who sits before one or more browsers, and with which rights. */
export interface Seat {
  worker: Worker;
  roles: string[];
  activity: Activity;
  version: number;
  /** The newest one. */
  token: string;
  /** Epoch ms at which it took another's place. */
  renewedAt?: number;
  /** A request waits for the next one. */
  due?: boolean;
}

export interface Seats {
  /** The worker's session; opened with these roles where there was none. */
  take(workerSid: string | undefined, roles: string[] | undefined): Seat;
  byToken(token: string | undefined): Seat | undefined;
  of(workerSid: string): Seat | undefined;
  /** A new token; the one before is refused from now on. */
  renew(seat: Seat): string;
  /** As a desktop asks for it: of two that look for a new token at once, both get the same one. */
  refresh(seat: Seat): void;
  all(): readonly Seat[];
}

const lifetimeMs = 60 * 60 * 1000;
/** Within this time a desktop has asked for its new token already. */
const freshMs = 3_000;

export function createSeats(world: World, now: () => number = Date.now): Seats {
  const seats = new Map<string, Seat>();
  const signingKey = randomBytes(32);
  const issue = (worker: Worker, roles: string[]) => {
    const token = flexToken(world, worker, roles, signingKey);
    const facts: FlexToken = {
      identity: worker.identity,
      roles,
      workerSid: worker.sid,
      expiresAt: new Date(Date.now() + lifetimeMs),
    };
    world.tokens.set(token, facts);
    return token;
  };
  const renew: Seats['renew'] = (seat) => {
    world.tokens.delete(seat.token);
    Object.assign(seat, { token: issue(seat.worker, seat.roles), renewedAt: now(), due: false });
    return seat.token;
  };
  return {
    take(workerSid, roles) {
      const [first] = world.workers.values();
      const worker = workerSid === undefined ? first : world.workers.get(workerSid);
      if (!worker) throw new Refused('there is no such worker here', 404);
      const known = seats.get(worker.sid);
      const wanted = roles ?? known?.roles ?? ['agent'];
      if (known && world.tokens.has(known.token) && known.roles.join() === wanted.join()) return known;
      const [available] = activities;
      if (!available) throw new Error('no activities');
      const seat: Seat = {
        worker,
        roles: wanted,
        activity: known?.activity ?? available,
        version: known?.version ?? 1,
        token: issue(worker, wanted),
      };
      seats.set(worker.sid, seat);
      return seat;
    },
    byToken(token) {
      const known = token === undefined ? undefined : world.tokens.get(token);
      if (!known || known.expiresAt.getTime() < Date.now()) return undefined;
      return seats.get(known.workerSid ?? '');
    },
    of: (workerSid) => seats.get(workerSid),
    renew,
    refresh(seat) {
      if (seat.due || now() - (seat.renewedAt ?? 0) > freshMs) renew(seat);
    },
    all: () => [...seats.values()],
  };
}

/**
 * In the shape that Flex UI, its TaskRouter and Voice SDKs take apart (a JWT with grants). Its signature means nothing to
 * any client: the sandbox's IAM looks the token up, as Twilio's does with its opaque ones.
 */
function flexToken(world: World, worker: Worker, roles: readonly string[], key: Buffer): string {
  const { accountSid, workspaceSid } = world.account;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const head = part({ alg: 'HS256', typ: 'JWT', cty: 'twilio-fpa;v=1' });
  const body = part({
    jti: randomUUID(),
    iss: world.account.apiKey,
    sub: accountSid,
    nbf: now,
    exp: now + lifetimeMs / 1000,
    grants: {
      identity: worker.identity,
      task_router: { workspace_sid: workspaceSid, worker_sid: worker.sid, role: 'worker' },
      voice: { incoming: { allow: true }, outgoing: { application_sid: `AP${'0'.repeat(32)}` } },
      data_sync: { service_sid: 'default' },
      flex: { roles },
    },
  });
  const signature = createHmac('sha256', key).update(`${head}.${body}`).digest('base64url');
  return `${head}.${body}.${signature}`;
}
