import {
  asConferenceSid,
  CustodyError,
  errorCode,
  jsonFields,
  type PauseSettings,
  parseReport,
  type Report,
  tokenIn,
} from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Recorder } from '../../recorder/index.ts';
import { cors } from '../plugins/cors.ts';
import { textOf } from '../plugins/function-signature.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { perMinute } from '../plugins/rate.ts';
import { type ReporterDeps, requireReporter } from '../plugins/reporter.ts';

export interface ReportRouteDeps extends ReporterDeps {
  recorder: Pick<Recorder, 'receive' | 'pending' | 'consentOf'>;
  pause: PauseSettings;
  /** Flex origins whose pages may report. */
  origins: readonly string[];
}

/** Of a report; forty recordings are a tenth of it. */
const reportLimit = 16 * 1024;
/** A Function's has a token as well. */
const bodyLimit = reportLimit + 64 * 1024;
/** An agent takes a call at a time; a plugin that was offline may have some to tell at once. */
const reportsAMinute = 60;

/**
 * `POST /reports`, `GET /settings/pause`, `GET /consents/CF…`: what happens on live calls, how pausing is set, and whether
 * a caller agreed. Right: a report needs a Flex token, in the header of a browser or in the body that a Function signs, and
 * what its holder may do the recorder says; the settings any Flex token or a signature; a consent a signature.
 */
export async function reportRoutes(scope: FastifyInstance, deps: ReportRouteDeps): Promise<void> {
  await scope.register(cors, { origins: deps.origins, headers: 'Authorization, Content-Type' });
  refuseOtherMethods(scope, { preflight: true });
  const askerOf = requireReporter(scope, deps);
  const reported = perMinute(reportsAMinute, deps.now);

  scope.post('/reports', { bodyLimit }, async (request, reply) => {
    const asker = askerOf(request);
    const text = textOf(request.body);
    if (asker.by === 'browser') {
      if (text.length > reportLimit) throw new CustodyError('body_too_large', 'more than a report has');
      reported.count(asker.viewer.identity);
      await deps.recorder.receive(parseReport(jsonFields(text), deps.now?.()), asker, request.id);
      return { accepted: true };
    }
    const body = jsonFields(text);
    const report = parseReport(body, deps.now?.());
    if (await receivedOf(deps, report, tokenIn(body), request.id)) return { accepted: true };
    return reply.code(202).send({ accepted: true, pending: true });
  });

  scope.get<{ Params: { conference: string } }>(
    '/consents/:conference',
    { exposeHeadRoute: false },
    async (request, reply) => {
      if (askerOf(request).by !== 'function')
        throw new CustodyError('functions_only', 'this is for our Functions alone');
      const conference = asConferenceSid(request.params.conference);
      if (!conference) throw new CustodyError('conference_invalid', 'not the SID of a conference');
      reply.header('Cache-Control', 'no-store');
      return deps.recorder.consentOf(conference);
    },
  );

  scope.get('/settings/pause', { exposeHeadRoute: false }, async (request, reply) => {
    askerOf(request);
    reply.header('Cache-Control', 'no-store');
    return deps.pause;
  });
}

/**
 * Takes what a Function says, by the authority of the agent whose token came with it.
 * @returns false where IAM is away, and the report is kept until it is back
 * @throws CustodyError `token_*`, or as the recorder does
 */
async function receivedOf(
  { recorder, flexTokens }: ReportRouteDeps,
  report: Report,
  token: string | undefined,
  requestId: string,
): Promise<boolean> {
  try {
    const viewer = await flexTokens.validate(token);
    await recorder.receive(report, { by: 'function', viewer }, requestId);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'iam_unavailable' || token === undefined) throw error;
    await recorder.pending.keep(report, token, requestId);
    return false;
  }
}
