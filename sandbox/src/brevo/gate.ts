import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BrevoFault } from './faults.ts';
import { classOf } from './limits.ts';
import { BrevoRefusal } from './refusal.ts';
import type { Brevo, BrevoRequest } from './state.ts';

const refusals = {
  key: () => new BrevoRefusal(401, 'unauthorized', 'Key not found'),
  address: () =>
    new BrevoRefusal(
      401,
      'unauthorized',
      'We have detected you are using an unrecognised IP address 203.0.113.7. If you performed this action make sure to add the new IP address in this link: https://app.brevo.com/security/authorised_ips',
    ),
  credits: () => new BrevoRefusal(402, 'not_enough_credits', 'Your account has not enough credits'),
  forbidden: () => new BrevoRefusal(403, 'permission_denied', 'Your account is not allowed to do this'),
} as const;

/** Codes that Brevo gives with a status, where a fault asks for the status alone. */
const codes: Readonly<Record<number, string>> = {
  400: 'invalid_parameter',
  401: 'unauthorized',
  402: 'not_enough_credits',
  403: 'permission_denied',
  404: 'document_not_found',
  405: 'method_not_allowed',
  425: 'account_in_process',
  429: 'too_many_requests',
};

interface Passing {
  request: BrevoRequest;
  fault: BrevoFault | undefined;
}

/** What every request passes: faults, the key, what the account refuses, and the limit of its class. */
export function gate(app: FastifyInstance, brevo: Brevo, prefix: string): void {
  const passing = new WeakMap<FastifyRequest, Passing>();

  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.slice(prefix.length);
    const [bare = ''] = path.split('?');
    const { method } = request;
    const of = classOf(method, bare);
    const noted: BrevoRequest = { at: brevo.now(), method, path, body: undefined, class: of };
    brevo.note(noted);
    const fault = brevo.faults.take(`${method} ${bare}`);
    passing.set(request, { request: noted, fault });
    if (fault) await meetBefore(fault, request, reply);
    if (reply.sent) return;
    if (request.headers['api-key'] !== brevo.apiKey) throw refusals.key();
    if (brevo.settings.refuses !== 'nothing') throw refusals[brevo.settings.refuses]();
    const turn = brevo.limits.take(of);
    reply.headers({
      'x-sib-ratelimit-limit': turn.limit,
      'x-sib-ratelimit-remaining': turn.remaining,
      'x-sib-ratelimit-reset': turn.resetSeconds,
    });
    if (turn.taken) return;
    brevo.noteEarned429();
    throw new BrevoRefusal(429, 'too_many_requests', 'API rate limit exceeded');
  });
  app.addHook('preHandler', async (request) => {
    const passed = passing.get(request);
    if (passed) passed.request.body = request.body;
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const passed = passing.get(request);
    if (!passed) return payload;
    if (passed.fault?.kind === 'reset-after' || passed.fault?.kind === 'stall-after') {
      if (passed.fault.kind === 'reset-after') request.raw.socket.destroy();
      // No answer ever follows: the client's connection ends it.
      await new Promise(() => undefined);
    }
    const isFailing = passed.fault?.kind === 'status-after' && reply.statusCode < 400;
    const failure = isFailing ? asked(passed.fault?.status ?? 503) : undefined;
    if (failure) reply.code(failure.status).type('application/json').removeHeader('content-length');
    passed.request.status = reply.statusCode;
    return failure ? JSON.stringify(failure.body) : payload;
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof BrevoRefusal) return reply.code(error.status).send(error.body);
    const status = error.statusCode ?? 500;
    const code = status < 500 ? 'invalid_parameter' : 'internal_error';
    return reply.code(status).send({ code, message: error.message });
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'document_not_found', message: 'Route not found' }),
  );
}

const asked = (status: number) =>
  new BrevoRefusal(status, codes[status] ?? 'internal_error', `the sandbox was asked to answer ${status}`);

async function meetBefore(fault: BrevoFault, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  switch (fault.kind) {
    case 'status':
      // Brevo's gateway answers some errors without its API: neither the key nor a limit was looked at.
      throw asked(fault.status);
    case 'reset-before':
      reply.hijack();
      request.raw.socket.destroy();
      return;
    case 'stall-before':
      reply.hijack();
      return;
    case 'html':
      await reply.code(200).type('text/html').send('<html><body><h1>Bad gateway</h1></body></html>');
  }
}
