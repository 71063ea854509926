import { statusText } from './rotate-keys.ts';

test('which key seals, which opens, and what is left to rotate', () => {
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
  expect(head).toMatch(/^key +recordings +sidecars$/);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['2026-11', '2', '3', 'opens'],
    ['2026-12', '10', '9', 'seals'],
    ['2026-10', '1', '0', 'NOT AT HAND'],
    ['unknown', '0', '1', 'not noted, as after a rebuild'],
    ['Older keys still hold 3 recordings: `flex-custody rotate-keys` renews them.'],
  ]);
  const signers = signed.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(signers).toEqual([
    ['signing key', 'sidecars'],
    ['lost', '1', 'NOT AT HAND'],
    ['now', '7', 'signs'],
    ['was', '3', 'verifies'],
    ['nobody', '2', 'left to be signed'],
  ]);
});

test('when nothing is left', () => {
  const keys = [{ keyId: 'k', atHand: true, recordings: 1, sidecars: 1 }];
  const text = statusText({ seals: 'k', keys, signers: [] });
  expect(text).toContain('Nothing is sealed by an older key.');
  expect(statusText({ keys: [], signers: [] })).toContain('S3 seals');
});
