import type { FastifyInstance } from 'fastify';
import type { EventLog } from '../events.ts';
import type { Faults } from '../faults.ts';
import type { Sink, World } from '../world.ts';

/** What every room of Twilio's REST double works on. */
export interface RestDeps {
  world: World;
  faults: Faults;
  events: EventLog;
  /** Sends a test event through a sink; without it none arrives. */
  testSink?: (sink: Sink) => void;
}

export type RestApp = FastifyInstance;

/** An error in the shape of Twilio's: {code, message, more_info, status}. */
export class TwilioError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export const notFound = (path: string) =>
  new TwilioError(404, 20404, `The requested resource ${path} was not found`);

/** The route constraint that keeps each API to its own host names. */
export const onHost = (service: string) => ({
  constraints: { host: new RegExp(`^${service}(\\.[a-z0-9-]+){0,2}\\.twilio\\.com(:443)?$`) },
});
