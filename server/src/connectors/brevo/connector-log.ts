import type { Logger } from '../../log.ts';
import type { BrevoConfig } from './config/brevo-config.ts';

/** The connector's log: with a level of its own where its file states one. */
export function connectorLog(
  log: Logger,
  { debug, log_level }: Pick<BrevoConfig, 'debug' | 'log_level'>,
): Logger {
  const stated = debug && log_level !== 'verbose' ? 'debug' : log_level;
  const level = stated === 'verbose' ? 'trace' : stated;
  return log.child({ connector: 'brevo' }, level === undefined ? {} : { level });
}
