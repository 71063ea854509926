import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyPluginAsync } from 'fastify';
import type { AlarmCode } from './alarms/alarm-table.ts';
import { type Role, roles } from './config/roles.ts';
import type { MetricSources } from './metrics.ts';
import type { RunJob } from './queue/job.ts';
import type { CheckedWork } from './runs/options.ts';

/** What a part of the host offers. A process uses the members that its roles name (`config/roles.ts`), and always the others. */
export interface Room {
  /** Each is registered in a scope of its own, with its own parsers, hooks and CORS. */
  routes?: readonly FastifyPluginAsync[];
  /** WebSockets. */
  upgrades?: readonly Upgrade[];
  jobs?: readonly RunJob[];
  /** Before the jobs of any room begin. */
  begin?(): Promise<void>;
  /** The alarm that one failed try of any job raises at once; undefined for none. */
  alarms?(error: unknown): { code: AlarmCode; detail: string } | undefined;
  metrics?: MetricSources;
  /** Long work by its name at the command line. */
  works?: Readonly<Record<string, CheckedWork>>;
  consumers?: readonly Consumer[];
  /** Closes what only this room has opened, after its jobs and requests have ended. */
  close?(): void;
}

/** Takes over the connections of one path that request another protocol. */
export interface Upgrade {
  /** Without a query. */
  path: string;
  /**
   * Answers the request on the socket, which it owns from then on. `head` is what the client sent after the request.
   * If it throws, the socket is destroyed.
   */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void | Promise<void>;
  /** Ends its connections by its protocol; when `signal` aborts, the remaining ones are destroyed. */
  close(signal: AbortSignal): Promise<void>;
}

/** Work that lasts as long as the process, such as reading a stream. */
export interface Consumer {
  /** Of its own among all consumers; logs name it. */
  name: string;
  /** Ends soon after `signal` aborts. If it fails, or ends before, it is started again after a pause that grows. */
  run(signal: AbortSignal): Promise<void>;
}

/** The members of a room that depend on roles. */
export type Duty = (typeof roles)[Role][number];
const duties: Readonly<Record<Role, readonly (Duty & keyof Room)[]>> = roles;

/** Whether a process with these roles uses this member of its rooms. */
export const doesIt = (own: readonly Role[], member: Duty): boolean =>
  own.some((role) => duties[role].includes(member));
