import { statusText } from './rotate-keys.ts';

test('which key encrypts, which decrypts, and what is left to rotate', () => {
  const use = {
    seals: '2026-12',
    keys: [
      { keyId: '2026-11', atHand: true, recordings: 2, sidecars: 3, secrets: 4 },
      { keyId: '2026-12', atHand: true, recordings: 10, sidecars: 9 },
      { keyId: '2026-10', atHand: false, recordings: 1, sidecars: 0 },
      { keyId: 'unknown', atHand: false, recordings: 0, sidecars: 1 },
    ],
    signers: [
      { keyId: 'lost', signs: false, atHand: false, sidecars: 1 },
      { keyId: 'now', signs: true, atHand: true, sidecars: 7 },
      { keyId: 'was', signs: false, atHand: true, sidecars: 3 },
      { signs: false, atHand: false, sidecars: 2 },
    ],
  };
  const [sealed = '', signed = ''] = statusText(use).split('\n\n');
  const [head, ...lines] = sealed.split('\n');
  expect(head).toMatch(/^KEY +RECORDINGS +SIDECARS +SECRETS +USE$/);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['2026-11', '2', '3', '4', 'decrypts'],
    ['2026-12', '10', '9', '0', 'encrypts'],
    ['2026-10', '1', '0', '0', 'NOT ON THIS HOST'],
    ['unknown', '0', '1', '0', 'not known, as after a rebuild'],
    [
      '3 recordings, 4 sidecars and 4 secrets are encrypted under older keys: `flex-custody rotate-keys` encrypts them under the newest one.',
    ],
  ]);
  const signers = signed.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(signers).toEqual([
    ['SIGNING KEY', 'SIDECARS', 'USE'],
    ['lost', '1', 'NOT ON THIS HOST'],
    ['now', '7', 'signs'],
    ['was', '3', 'verifies'],
    ['-', '2', 'not signed yet'],
  ]);
});

test('when nothing is left', () => {
  const keys = [{ keyId: 'k', atHand: true, recordings: 1, sidecars: 1 }];
  const text = statusText({ seals: 'k', keys, signers: [] });
  expect(text).toContain('Nothing is encrypted under an older key.');
  expect(statusText({ keys: [], signers: [] })).toContain('S3 encrypts');
});

test('a key that only a secret needs is not reported as unused', () => {
  const keys = [
    { keyId: 'new', atHand: true, recordings: 1, sidecars: 1, secrets: 0 },
    { keyId: 'old', atHand: true, recordings: 0, sidecars: 0, secrets: 1 },
  ];
  expect(statusText({ seals: 'new', sealsSecrets: 'new', keys, signers: [] })).toContain(
    '0 recordings, 0 sidecars and 1 secrets are encrypted under older keys',
  );
  const ofSecrets = keys.map((key) => ({ ...key, recordings: 0, sidecars: 0 }));
  const [first, ...rest] = statusText({ sealsSecrets: 'new', keys: ofSecrets, signers: [] }).split('\n');
  expect(first).toContain('S3 encrypts');
  expect(rest.slice(0, 3).map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['KEY', 'SECRETS', 'USE'],
    ['new', '0', 'encrypts'],
    ['old', '1', 'decrypts'],
  ]);
});
