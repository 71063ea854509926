import { hostname } from 'node:os';
import type { CopyProof } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';

/** A proof by this host, dated now. */
export function proofOf(by: CopyProof['by'], how: CopyProof['how'], mono = false): CopyProof {
  return { at: new Date().toISOString(), host: hostname(), by, how, ...(mono && { mono: true as const }) };
}

/**
 * The proof of a verified copy that a host made: the host read every part of Twilio's media, in this process or in an
 * earlier one, and its digest is that of the copy. A Function's digest proves nothing.
 */
export function proofByCopy({ copiedBy, object }: RecordingRow): CopyProof | undefined {
  const isDigested = object?.plaintextSha256 !== undefined || object?.parts !== undefined;
  return copiedBy === 'host' && isDigested ? proofOf('copy', 'sha256') : undefined;
}

/** True if a verified copy is compared with Twilio's media at once, and not only before the original is deleted. */
export function isToBeProven({ config }: Pick<IngestDeps, 'config'>, row: RecordingRow): boolean {
  if (row.proof || row.sourceDeletedAt) return false;
  const isFound = row.copiedBy === 'adopted' || row.copiedBy === 'import' || row.unproven.length > 0;
  return isFound || config.prove === 'always';
}
