import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CustodyError, type ErrorCode } from '@flex-custody/core';
import fastify, { type FastifyInstance } from 'fastify';
import { until } from '../../../../test/support/until.ts';
import { answerError } from './errors.ts';
import { flexViewer } from './flex-token.ts';
import { createLimits, type LimitOptions, type Limits } from './limits.ts';

const basic = (token: string) => `Basic ${Buffer.from(`token:${token}`).toString('base64')}`;
let app: FastifyInstance;
let limits: Limits;
afterEach(async () => {
  app.server.closeAllConnections();
  await app.close();
});

const open = (options: Partial<LimitOptions> = {}) => {
  limits = createLimits({
    trustedProxies: ['127.0.0.1'],
    streamsPerViewer: 24,
    streamsPerAddress: 128,
    ...options,
  });
  app = fastify({ trustProxy: limits.addresses.trusts });
  app.setErrorHandler(answerError);
};

describe('tokens that nobody vouches for', () => {
  const said: Record<string, ErrorCode | undefined> = {};
  const validate = jest.fn(async (token: string | undefined, beforeAsking?: () => void) => {
    if (token !== 'known') beforeAsking?.();
    const code = said[token ?? ''];
    if (code) throw new CustodyError(code, 'no');
    return { identity: 'ada', roles: [] };
  });
  beforeEach(() => {
    let clock = 0;
    open({ now: () => clock++ });
    const viewerOf = flexViewer({ validate }, limits);
    app.get('/', (request, reply) => viewerOf(request, reply));
    Object.assign(said, { bad: 'token_refused', away: 'iam_unavailable' });
  });
  const ask = async (token: string, address: string | undefined) => {
    const headers = {
      authorization: basic(token),
      ...(address !== undefined && { 'x-forwarded-for': address }),
    };
    return app.inject({ url: '/', headers, remoteAddress: '127.0.0.1' });
  };
  const codes = async (token: string, address: string | undefined, times: number) => {
    const found: Record<number, number> = {};
    for (let time = 0; time < times; time += 1) {
      const { statusCode } = await ask(token, address);
      found[statusCode] = (found[statusCode] ?? 0) + 1;
    }
    return found;
  };

  test('end for an address before IAM is asked; others, and known tokens, pass', async () => {
    expect(await codes('bad', '203.0.113.7', 200)).toEqual({ 403: 30, 429: 170 });
    expect((await ask('bad', '203.0.113.7')).headers['retry-after']).toBe('5');
    expect(await codes('known', '203.0.113.7', 1)).toEqual({ 200: 1 });
    expect(await codes('bad', '203.0.113.8', 1)).toEqual({ 403: 1 });
  });

  test('are not the good ones, however many people are behind an address, nor those without a verdict', async () => {
    expect(await codes('good', '203.0.113.7', 200)).toEqual({ 200: 200 });
    expect(await codes('away', '203.0.113.7', 200)).toEqual({ 503: 200 });
    expect(await codes('bad', '203.0.113.7', 31)).toEqual({ 403: 30, 429: 1 });
  });

  test('are not counted together where the proxy does not say for whom it asks', async () => {
    expect(await codes('bad', undefined, 40)).toEqual({ 403: 40 });
  });
});

describe('answers with audio', () => {
  let port: number;
  const answers: IncomingMessage[] = [];
  const listen = async (options: Partial<LimitOptions>) => {
    open(options);
    app.get<{ Querystring: { link: string; viewer?: string } }>('/', async (request, reply) => {
      const { link, viewer } = request.query;
      limits.stream(request, reply, { link, ...(viewer && { viewer }) });
      reply.hijack();
      reply.raw.write('audio');
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = app.server.address() as AddressInfo);
  };
  const hear = async (query: string, address?: string): Promise<number> => {
    const headers = address === undefined ? {} : { 'x-forwarded-for': address };
    const [answer] = (await once(get({ port, path: `/?${query}`, headers, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    answer.on('error', () => undefined);
    answers.push(answer);
    return answer.statusCode ?? 0;
  };
  afterEach(() => {
    for (const answer of answers.splice(0)) answer.destroy();
  });

  test('of one link: eight, and the next one when one has ended', async () => {
    await listen({});
    for (let times = 0; times < 8; times += 1) expect(await hear('link=a')).toBe(200);
    expect(await hear('link=a')).toBe(429);
    expect(await hear('link=b')).toBe(200);
    answers[0]?.destroy();
    await until(async () => (await hear('link=a')) === 200);
  });

  test('of one viewer, over all links', async () => {
    await listen({ streamsPerViewer: 2 });
    expect(await hear('link=a&viewer=ada')).toBe(200);
    expect(await hear('link=b&viewer=ada')).toBe(200);
    expect(await hear('link=c&viewer=ada')).toBe(429);
    expect(await hear('link=c&viewer=sue')).toBe(200);
  });

  test('of one address, over all viewers', async () => {
    await listen({ streamsPerAddress: 2 });
    expect(await hear('link=a&viewer=ada', '203.0.113.7')).toBe(200);
    expect(await hear('link=b&viewer=sue', '203.0.113.7')).toBe(200);
    expect(await hear('link=c&viewer=nik', '203.0.113.7')).toBe(429);
    expect(await hear('link=c&viewer=nik', '203.0.113.8')).toBe(200);
  });
});
