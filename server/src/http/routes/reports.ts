import { CustodyError, type PauseSettings, parseReport } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Recorder } from '../../recorder/index.ts';
import { cors } from '../plugins/cors.ts';
import { textOf } from '../plugins/function-signature.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { perMinute } from '../plugins/rate.ts';
import { requireTeller, type TellerParts } from '../plugins/teller.ts';

export interface ReportRouteParts extends TellerParts {
  recorder: Pick<Recorder, 'receive'>;
  pause: PauseSettings;
  /** Flex origins whose pages may report. */
  origins: readonly string[];
}

/** Forty recordings are a tenth of it. */
const bodyLimit = 16 * 1024;
/** An agent takes a call at a time; a plugin that was offline may have some to tell at once. */
const reportsAMinute = 60;

/**
 * `POST /reports` and `GET /settings/pause`: what happens on live calls, and how pausing is set. Right: a Function's
 * signature, or any Flex token; what a token's word counts for is the recorder's to say.
 */
export async function reportRoutes(scope: FastifyInstance, parts: ReportRouteParts): Promise<void> {
  await scope.register(cors, { origins: parts.origins, headers: 'Authorization, Content-Type' });
  refuseOtherMethods(scope, { preflight: true });
  const tellerOf = requireTeller(scope, parts);
  const count = perMinute(reportsAMinute, parts.now);

  scope.post('/reports', { bodyLimit }, async (request) => {
    const teller = tellerOf(request);
    if (teller.by === 'browser') count(teller.viewer.identity);
    await parts.recorder.receive(parseReport(json(textOf(request.body))), teller, request.id);
    return { accepted: true };
  });

  scope.get('/settings/pause', { exposeHeadRoute: false }, async (request, reply) => {
    tellerOf(request);
    reply.header('Cache-Control', 'no-store');
    return parts.pause;
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CustodyError('report_invalid', 'the body is no JSON', { status: 400 });
  }
}
