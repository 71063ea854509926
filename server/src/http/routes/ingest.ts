import {
  asRecordingSid,
  CustodyError,
  jsonFields,
  parseCopyReport,
  parseIngestRequest,
  type RecordingSid,
} from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Ingest } from '../../ingest/index.ts';
import { requireFunctionSignature, textOf } from '../plugins/function-signature.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';

export interface IngestRouteDeps {
  ingest: Pick<Ingest, 'receive' | 'report'>;
  /** Shared with the Functions; newest first. */
  secrets: readonly string[];
  /** Epoch ms; the signature's clock. */
  now?: () => number;
}

/**
 * The routes that the Functions call. Right: a Function's signature, on every route of this scope.
 * Answers are core's `IngestAnswer` and `{state}`; errors are `{error}` with the code of a CustodyError.
 */
export async function ingestRoutes(scope: FastifyInstance, deps: IngestRouteDeps): Promise<void> {
  requireFunctionSignature(scope, deps.secrets, deps.now);
  refuseOtherMethods(scope);

  scope.post('/ingest/recordings', async (request) =>
    deps.ingest.receive(parseIngestRequest(jsonFields(textOf(request.body)))),
  );

  scope.post<{ Params: { sid: string } }>('/ingest/recordings/:sid/report', async (request) =>
    deps.ingest.report(recordingSid(request.params.sid), parseCopyReport(jsonFields(textOf(request.body)))),
  );
}

/** @throws CustodyError `recording_sid_invalid` (400) */
function recordingSid(value: string): RecordingSid {
  const sid = asRecordingSid(value);
  if (!sid) throw new CustodyError('recording_sid_invalid', 'not a recording SID');
  return sid;
}
