import type { FastifyInstance } from 'fastify';
import type { Ingest } from '../../ingest/index.ts';
import { readCallback, readRecordingSid, readReport } from '../../ingest/intake/read.ts';
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
 * What the Functions call. Right: a Function's signature, on every route of this scope; there is no other way in.
 * Answers are core's `IngestAnswer` and `{state}`; errors are `{error}` with the code of a CustodyError.
 */
export async function ingestRoutes(scope: FastifyInstance, deps: IngestRouteDeps): Promise<void> {
  requireFunctionSignature(scope, deps.secrets, deps.now);
  refuseOtherMethods(scope);

  scope.post('/ingest/recordings', async (request) =>
    deps.ingest.receive(readCallback(textOf(request.body))),
  );

  scope.post<{ Params: { sid: string } }>('/ingest/recordings/:sid/report', async (request) =>
    deps.ingest.report(readRecordingSid(request.params.sid), readReport(textOf(request.body))),
  );
}
