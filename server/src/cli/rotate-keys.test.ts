import { statusText } from './rotate-keys.ts';

test('which key encrypts, which decrypts, and what is left to rotate', () => {
  const use = {
    seals: '2026-12',
    keys: [
      { keyId: '2026-11', atHand: true, recordings: 2, sidecars: 3 },
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
  expect(head).toMatch(/^KEY +RECORDINGS +SIDECARS +USE$/);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['2026-11', '2', '3', 'decrypts'],
    ['2026-12', '10', '9', 'encrypts'],
    ['2026-10', '1', '0', 'NOT ON THIS HOST'],
    ['unknown', '0', '1', 'not known, as after a rebuild'],
    [
      '3 recordings and 4 sidecars are encrypted under older keys: `flex-custody rotate-keys` re-encrypts their data keys.',
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
