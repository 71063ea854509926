import Fastify from 'fastify';
import { type Brevo, brevoControls, brevoRoutes, createBrevo } from './index.ts';

export interface AskedBrevo {
  brevo: Brevo;
  /** Moves the clock of the account. */
  pass(ms: number): void;
  ask(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: unknown; headers: Record<string, unknown> }>;
  control(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }>;
}

/** For tests: an account whose clock the test moves, asked without a socket. */
export function askBrevo(): AskedBrevo {
  let now = Date.UTC(2026, 10, 30, 12);
  const brevo = createBrevo(() => now);
  const app = Fastify();
  brevoRoutes(app, brevo, '/v3');
  brevoControls(app, brevo);
  const parsed = (text: string): unknown => (text === '' ? undefined : JSON.parse(text));
  const send = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const answer = await app.inject({ method, url, headers, ...(body && { payload: body }) });
    return { status: answer.statusCode, body: parsed(answer.body), headers: { ...answer.headers } };
  };
  return {
    brevo,
    pass: (ms) => {
      now += ms;
    },
    ask: (method, path, body, headers = { 'api-key': brevo.apiKey }) =>
      send(method, `/v3${path}`, body, headers),
    control: (method, path, body) => send(method, `/sandbox/brevo${path}`, body),
  };
}
