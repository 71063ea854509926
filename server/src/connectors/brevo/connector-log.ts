import type { Log } from '../../ingest/index.ts';
import type { Logger } from '../../log.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import type { BrevoCall } from './send.ts';

export interface ConnectorLog extends Log {
  debug(fields: object, message: string): void;
  /** Of each request to Brevo. */
  asked(call: BrevoCall): void;
}

/** The connector's log: with a level of its own where its file states one. A log that is none of pino has only lines from info on. */
export function connectorLog(
  log: Log,
  { debug, log_api_calls, log_level }: Pick<BrevoConfig, 'debug' | 'log_api_calls' | 'log_level'>,
): ConnectorLog {
  const stated = debug && log_level !== 'verbose' ? 'debug' : log_level;
  const level = stated === 'verbose' ? 'trace' : stated;
  const own = isPino(log) ? log.child({ connector: 'brevo' }, level === undefined ? {} : { level }) : log;
  // Who asks for these lines has them at any level.
  const calls = isPino(own) && log_api_calls ? own.child({}, { level: 'info' }) : own;
  const detailed = isPino(own) ? own : undefined;
  return {
    info: (fields, message) => own.info(fields, message),
    warn: (fields, message) => own.warn(fields, message),
    error: (fields, message) => own.error(fields, message),
    debug: (fields, message) => detailed?.debug(fields, message),
    asked(call) {
      const fields = { event: 'brevo.asked', ...call };
      if (log_api_calls) calls.info(fields, 'a request to Brevo');
      else detailed?.trace(fields, 'a request to Brevo');
    },
  };
}

const isPino = (log: Log): log is Logger => 'child' in log;
