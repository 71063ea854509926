import { readEnvFile } from '../../config/env-file.ts';
import { rightsFaultOf } from '../../config/private-file.ts';
import { advice, type Seen } from './finding.ts';

/** The file holds the host's secrets. */
export async function envFile(): Promise<Seen> {
  const file = readEnvFile();
  if (file === undefined) return 'none was read, only the environment';
  const fault = rightsFaultOf(file, 'read');
  if (fault) throw advice(`${file} ${fault.is}, and holds secrets`, fault.next);
  return `${file}; only its owner can read it`;
}
