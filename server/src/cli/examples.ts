import type { Command } from 'commander';

const recording = 'RE0123456789abcdef0123456789abcdef';
const reservation = 'WR0123456789abcdef0123456789abcdef';

/** One for each command, shown by its `--help`. A test parses each of them with the program. */
export const examples: Readonly<Record<string, string>> = {
  serve: '',
  doctor: '--only bucket,key',
  setup: '--functions-url https://flex-custody-1234.twil.io --mode ours',
  'adopt-database': '',
  'recordings list': '--state failed --limit 20',
  'recordings failed': '--reason media_missing',
  'recordings retry': recording,
  'recordings show': recording,
  'recordings revoke-link': recording,
  alarms: '--json',
  'alarms clear': '12',
  reconcile: '--since 2026-11-01 --dry-run',
  'catalog rebuild': '--dry-run',
  'catalog sign': '',
  import: '--from s3://old-recordings/2025 --dry-run',
  'recorder events': '--set-aside',
  'recorder status': '--json',
  'policy check': 'policy.yaml',
  'policy apply': 'policy.yaml',
  'policy show': '--file',
  'policy history': '--json',
  'policy schema': '',
  retention: '--dry-run',
  erase: `--recording ${recording} --reference TICKET-42 --dry-run`,
  'certificates list': '--json',
  'certificates show': '01234567-89ab-4cde-8f01-23456789abcd',
  'certificates key': '--all',
  'certificates verify': 'certificate.jws --key public-key.jwk',
  'keys generate': '--kind rsa --key-id 2026-11 --out custody-key.pem',
  'keys status': '--json',
  'rotate-keys': '--dry-run',
  'secrets set': 'TWILIO_AUTH_TOKEN',
  'secrets list': '--json',
  'secrets remove': 'TWILIO_AUTH_TOKEN',
  'recorder settings show': '--json',
  'recorder settings set': 'longCallMinutes=90 --if-version 3',
  'recorder settings import': 'data-source.yaml --dry-run',
  'recorder settings export': 'data-source.yaml',
  'recorder settings history': '--json',
  'recorder settings schema': '',
  'recorder setup': '--sink webhook --dry-run',
  completeness: '--day 2026-11-28',
  'completeness explain': `${reservation} --reason test-call --comment ticket-17`,
  'completeness withdraw': reservation,
  'recorder recover': '--since 2d --dry-run',
  'completeness verify': '2026-11-28.json --day 2026-11-28',
  'recorder repair': '--since 2h --dry-run',
  'recorder short': '--json',
  'connector install': 'brevo --consent consent_marketing --flex-flow-sid FO0123456789abcdef0123456789abcdef',
  'connector test': 'brevo --create-attributes --send-event',
  'connector sync': 'brevo --type full --resources conversations,tasks --since 2026-11-01 --dry-run',
  'connector status': 'brevo --json',
  'connector explain': 'WT0123456789abcdef0123456789abcdef',
  'connector report': '--from 2026-11-01 --to 2026-11-30',
  'connector failed': '--limit 20',
  'connector retry': '--all',
  encrypt: `--in call.wav --out object --key-file custody-key.pem --account AC0123456789abcdef0123456789abcdef --recording ${recording}`,
  decrypt: `--in object --out call.wav --key-file custody-key.pem --account AC0123456789abcdef0123456789abcdef --recording ${recording}`,
};

export function addExamples(command: Command, path: readonly string[] = []): void {
  const name = path.join(' ');
  const words = examples[name];
  if (words !== undefined)
    command.addHelpText('after', `\nExample:\n  flex-custody ${`${name} ${words}`.trim()}`);
  for (const below of command.commands) addExamples(below, [...path, below.name()]);
}
