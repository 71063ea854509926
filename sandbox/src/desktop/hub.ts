import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { EventLog } from '../events.ts';
import type { Exchange } from '../live/exchange.ts';
import type { World } from '../world.ts';
import type { Seats } from './session.ts';

/** What every far end of the desktop works on. */
export interface DesktopDeps {
  world: World;
  events: EventLog;
  exchange: Exchange;
  seats: Seats;
}

/** The far end of one kind of WebSocket: what it does with one that was opened. */
export type SocketEnd = (socket: WebSocket, request: IncomingMessage, url: URL) => void;

/** Text of a message, however it was framed. */
export function textOf(data: WebSocket.RawData): string {
  return bytesOf(data).toString('utf8');
}

export function bytesOf(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** JSON or nothing: a browser's broken message is not ours to fail on. */
export function jsonOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
