import { hostname } from 'node:os';
import type { CopyProof } from '@flex-custody/core';
import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { IngestDeps } from '../deps.ts';

/** A proof that this host gives, now. */
export function proofOf(by: CopyProof['by'], how: CopyProof['how'], mono = false): CopyProof {
  return { at: new Date().toISOString(), host: hostname(), by, how, ...(mono && { mono: true as const }) };
}

/**
 * The proof of a copy that was read back and that a host made: the digest that it took of Twilio's media while it read
 * every part of it, this process or the one before it, is that of the copy. A Function's digest is only its own word.
 */
export function proofByCopy({ copiedBy, object }: RecordingRow): CopyProof | undefined {
  const isDigested = object?.plaintextSha256 !== undefined || object?.parts !== undefined;
  return copiedBy === 'host' && isDigested ? proofOf('copy', 'sha256') : undefined;
}

/** True where a verified copy is held against Twilio's media at once, and not only before the original is deleted. */
export function isToBeProven({ config }: Pick<IngestDeps, 'config'>, row: RecordingRow): boolean {
  if (row.proof || row.sourceDeletedAt) return false;
  const isFound = row.copiedBy === 'adopted' || row.copiedBy === 'import' || row.unproven.length > 0;
  return isFound || config.prove === 'always';
}
