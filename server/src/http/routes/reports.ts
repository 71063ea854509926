import {
  asConferenceSid,
  CustodyError,
  errorCode,
  jsonFields,
  parseReport,
  type Report,
  tokenIn,
} from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Pausing } from '../../recorder/data-source/pausing.ts';
import type { Recorder } from '../../recorder/index.ts';
import { cors } from '../plugins/cors.ts';
import { textOf } from '../plugins/function-signature.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { perMinute } from '../plugins/rate.ts';
import { type ReporterDeps, requireReporter } from '../plugins/reporter.ts';

export interface ReportRouteDeps extends ReporterDeps {
  recorder: Pick<Recorder, 'receive' | 'pending' | 'consentOf'>;
  pause: Pausing;
  /** Flex origins whose pages may report. */
  origins: readonly string[];
}

/** Bytes of a report; one with forty recordings has a tenth of it. */
const reportLimit = 16 * 1024;
/** A Function's report also contains a token. */
const bodyLimit = reportLimit + 64 * 1024;
/** Above what one agent's calls need; a plugin that was offline may send several reports at once. */
const reportsAMinute = 60;

/**
 * `POST /reports`, `GET /settings/pause`, `GET /consents/CF…`: reports of live calls, the settings of pauses, and a caller's
 * consent. Rights: a report needs a Flex token, in the header of a browser or in the body that a Function signs, and the
 * recorder decides what its holder may report; the settings need any Flex token or a signature; a consent needs a signature.
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
      if (text.length > reportLimit)
        throw new CustodyError('body_too_large', 'the body is longer than a report can be');
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
        throw new CustodyError('functions_only', 'only our Functions may ask this');
      const conference = asConferenceSid(request.params.conference);
      if (!conference) throw new CustodyError('conference_invalid', 'not the SID of a conference');
      reply.header('Cache-Control', 'no-store');
      return deps.recorder.consentOf(conference);
    },
  );

  scope.get('/settings/pause', { exposeHeadRoute: false }, async (request, reply) => {
    askerOf(request);
    reply.header('Cache-Control', 'no-store');
    return deps.pause();
  });
}

/**
 * Receives a Function's report in the name of the agent whose token is in it.
 * @returns false if IAM does not answer: the report is then kept until it does
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
