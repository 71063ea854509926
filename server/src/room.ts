import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import type { AlarmCode } from './alarms/alarm-table.ts';
import { type Role, roles } from './config/roles.ts';
import type { MetricSources } from './metrics.ts';
import type { RunJob } from './queue/job.ts';
import type { CheckedWork } from './runs/options.ts';

/** What a part of the host offers. A process takes of it what its roles name (`config/roles.ts`), and the rest always. */
export interface Room {
  /** Each in a scope of its own, so that one's parsers, hooks and CORS are not another's. */
  routes?: readonly FastifyPluginAsync[];
  /** WebSockets. */
  upgrades?: readonly Upgrade[];
  jobs?: readonly RunJob[];
  /** Before the jobs of any room begin. */
  begin?(): Promise<void>;
  /** What the failure of one try, of whatever job, tells an operator at once; undefined: nothing. */
  alarms?(error: unknown): { code: AlarmCode; detail: string } | undefined;
  metrics?: MetricSources;
  /** Long work by the name that the command line calls it. */
  works?: Readonly<Record<string, CheckedWork>>;
  /** Closes what the room alone has opened, after its jobs and requests have ended. */
  close?(): void;
}

/** Takes over the connections of one path that ask for another protocol. */
export interface Upgrade {
  /** Without a query. */
  path: string;
  /**
   * Answers the request on the socket, which is its own from then on. `head` is what the client sent behind the request.
   * Where it throws, the socket is destroyed.
   */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
  /** Ends its connections in its protocol's own way; when `signal` aborts, those that are left are destroyed. */
  close(signal: AbortSignal): Promise<void>;
}

/** What a role may take of its rooms. */
export type Duty = (typeof roles)[Role][number];
const duties: Readonly<Record<Role, readonly (Duty & keyof Room)[]>> = roles;

/** Whether a process with these roles takes this member of its rooms. */
export const doesIt = (own: readonly Role[], member: Duty): boolean =>
  own.some((role) => duties[role].includes(member));
