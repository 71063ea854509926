import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The host's environment for a shell, by which `flex-custody` works at the local stack's host; only its owner may read it. */
export function writeShellFile(folder: string, environment: Readonly<Record<string, string>>): string {
  const file = join(folder, 'host.sh');
  const lines = Object.entries(environment).map(
    ([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`,
  );
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}
