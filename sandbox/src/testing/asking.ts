import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { createEventLog } from '../events.ts';
import type { Faults } from '../faults.ts';
import { buildRest, listenRest } from '../rest/app.ts';
import type { World } from '../world.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** False when the connection broke before the body's end. */
  complete: boolean;
  error?: string;
}

export interface Question {
  host: string;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  /** `user:password`; the account's own by default, '' for none. */
  auth?: string;
  body?: string;
  /** Gives up after so many ms. */
  patienceMs?: number;
}

/** For tests: the REST double on a real TLS socket, asked without any client's help. */
export async function startAsking(world: World, faults: Faults) {
  const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-rest-'));
  const certificates = await makeCertificates(dataDir);
  const app = buildRest({ world, faults, events: createEventLog() }, certificates);
  const port = await listenRest(app);
  const { accountSid, authToken } = world.account;

  const ask = (question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { host, path, method = 'GET', headers, auth = `${accountSid}:${authToken}`, body } = question;
      const sent = request({
        host: '127.0.0.1',
        port,
        servername: 'api.twilio.com',
        ca: certificates.ca,
        path,
        method,
        headers: { host, ...headers },
        ...(auth === '' ? {} : { auth }),
        agent: false,
      });
      if (question.patienceMs !== undefined) setTimeout(() => sent.destroy(), question.patienceMs);
      sent.on('error', reject);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        const done = (error?: Error) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            complete: response.complete,
            ...(error ? { error: error.message } : {}),
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => done());
        response.on('error', done);
      });
      sent.end(body);
    });

  const close = async () => {
    await app.close();
    await rm(dataDir, { recursive: true });
  };
  return { ask, close };
}
