import type { FastifyInstance } from 'fastify';
import type { AlarmView, RecorderView, SessionView } from './contract.ts';

/** The custody host's listener for operators, and the secret that its command line signs with. */
export interface Operators {
  url: string;
  secret: string;
}

const limitMs = 5_000;

/**
 * `GET /sandbox/recorder`: what the custody host says to its operators of live sessions and open alarms. A browser has no
 * way to ask that listener itself, since it must not have the secret.
 */
export function recorderRoute(app: FastifyInstance, { url, secret }: Operators): void {
  const ask = async <T>(path: string): Promise<T> => {
    const { signRequest } = await import('@flex-custody/vault');
    const response = await fetch(url + path, {
      headers: { 'x-custody-signature': signRequest(secret, 'GET', path, '', Date.now()) },
      signal: AbortSignal.timeout(limitMs),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()) as T;
  };
  app.get('/sandbox/recorder', async (): Promise<RecorderView> => {
    try {
      const [tables, alarms] = await Promise.all([
        ask<{ name: string; rows: SessionView[] }[]>('/recorder/status'),
        ask<AlarmView[]>('/alarms'),
      ]);
      return { sessions: tables.find(({ name }) => name === 'newestSessions')?.rows ?? [], alarms };
    } catch {
      // The page asks again soon: a refusal would only fill the browser's console while the host starts.
      return { unreachable: true };
    }
  });
}
