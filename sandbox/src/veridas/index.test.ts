import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { makeCertificates } from '../certificates.ts';
import { createVeridas, startVeridas, veridasAudioUrl, veridasRoutes } from './index.ts';

const open = () => {
  const app = Fastify();
  const veridas = veridasRoutes(app);
  return { app, veridas };
};
const right = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }) => ({
  grant_type: 'client_credentials',
  client_id: clientId,
  client_secret: clientSecret,
});

/** A form as a client's library writes it. */
async function multipart(fields: Record<string, string>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = new Response(form);
  return {
    payload: Buffer.from(await response.arrayBuffer()),
    headers: { 'content-type': response.headers.get('content-type') ?? '' },
  };
}

describe('the token endpoint', () => {
  it('gives a token for the credentials, in either encoding', async () => {
    const { app, veridas } = open();
    const fields = right(veridas.credentials);
    for (const form of [
      await multipart(fields),
      {
        payload: new URLSearchParams(fields).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
    ]) {
      const answer = await app.inject({ method: 'POST', url: '/veridas/token', ...form });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({
        token_type: 'Bearer',
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        expires_in: 300,
      });
    }
    expect(veridas.issued).toBe(2);
  });

  it.each([
    ['another secret', { client_secret: 'x' }, 401],
    ['another client', { client_id: 'x' }, 401],
    ['another grant', { grant_type: 'password' }, 400],
  ])('refuses %s', async (_what, change, status) => {
    const { app, veridas } = open();
    const form = await multipart({ ...right(veridas.credentials), ...change });
    expect((await app.inject({ method: 'POST', url: '/veridas/token', ...form })).statusCode).toBe(status);
    expect([veridas.issued, veridas.refused]).toEqual([0, 1]);
  });

  it('refuses a broken form', async () => {
    const { app } = open();
    const answer = await app.inject({
      method: 'POST',
      url: '/veridas/token',
      payload: 'nonsense',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(answer.statusCode).toBe(400);
  });

  it('fails as it is told, until it is told otherwise, and counts', async () => {
    const { app, veridas } = open();
    const set = (payload: object) => app.inject({ method: 'POST', url: '/sandbox/veridas', payload });
    const ask = async () =>
      app.inject({ method: 'POST', url: '/veridas/token', ...(await multipart(right(veridas.credentials))) });
    expect((await set({ tokenStatus: 503 })).json()).toMatchObject({ tokenStatus: 503 });
    expect((await ask()).statusCode).toBe(503);
    await set({ tokenStatus: null });
    expect((await ask()).statusCode).toBe(200);
    expect((await app.inject('/sandbox/veridas')).json()).toEqual({
      issued: 1,
      refused: 0,
      tokenStatus: null,
      clientId: veridas.credentials.clientId,
    });
    expect((await set({ tokenStatus: 200 })).statusCode).toBe(400);
  });
});

it('says in the token when it expires', () => {
  const veridas = createVeridas(() => 1_000_000);
  const fields = right(veridas.credentials);
  const { body } = veridas.token(new Map(Object.entries(fields)));
  const claims = JSON.parse(
    Buffer.from(String(body['access_token']).split('.')[1] ?? '', 'base64url').toString(),
  );
  expect(claims).toMatchObject({ iat: 1000, exp: 1300 });
});

it('serves the vendor files to a desktop of another origin, and nothing else', async () => {
  const { app } = open();
  for (const name of ['daspeak-streaming-web-agent-twilio.bundle.js', 'config.js', 'utils.js']) {
    const answer = await app.inject(`/veridas/${name}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'content-type': 'text/javascript; charset=utf-8',
    });
  }
  expect((await app.inject('/veridas/..%2findex.ts')).statusCode).toBe(404);
});

it('has the address of the audio in config.js that the Functions are told', async () => {
  const file = await readFile(join('sandbox', 'src', 'veridas', 'assets', 'config.js'), 'utf8');
  expect(file).toContain(`daspeakStreamingAudioUrl: '${veridasAudioUrl}'`);
});

it('answers on TLS to who trusts the sandbox authority', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sandbox-veridas-'));
  const certificates = await makeCertificates(dataDir);
  const { tokenUrl, veridas, close } = await startVeridas({ certificates });
  const { payload, headers } = await multipart(right(veridas.credentials));
  const ask = (ca?: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(tokenUrl, { method: 'POST', headers, agent: false, ...(ca ? { ca } : {}) }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end(payload);
    });
  try {
    expect(await ask(certificates.ca)).toBe(200);
    await expect(ask()).rejects.toThrow(/certificate/);
  } finally {
    await close();
    await rm(dataDir, { recursive: true });
  }
});
