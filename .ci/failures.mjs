/** Says of each failed test in jest's report its file, its name and how its first failure begins. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
for (const { name, status, message, assertionResults } of report.testResults) {
  const failed = assertionResults.filter((one) => one.status === 'failed');
  const file = relative('.', name);
  for (const { fullName, failureMessages } of failed) tell(`${file}: ${fullName}`, failureMessages[0]);
  // It did not even begin.
  if (status === 'failed' && failed.length === 0) tell(file, message);
}

function tell(what, why = '') {
  const lines = stripVTControlCharacters(why)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('at '));
  console.log(`FAILED ${what}\n  ${lines.slice(0, 6).join(' | ').slice(0, 400)}`);
}
