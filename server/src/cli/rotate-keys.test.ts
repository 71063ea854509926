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
  };
  const [head, ...lines] = statusText(use).split('\n');
  expect(head).toMatch(/^key +recordings +sidecars$/);
  expect(lines.map((line) => line.trim().split(/ {2,}/))).toEqual([
    ['2026-11', '2', '3', 'opens'],
    ['2026-12', '10', '9', 'seals'],
    ['2026-10', '1', '0', 'NOT AT HAND'],
    ['unknown', '0', '1', 'not noted, as after a rebuild'],
    ['Older keys still hold 3 recordings: `flex-custody rotate-keys` renews them.'],
  ]);
});

test('when nothing is left', () => {
  const text = statusText({ seals: 'k', keys: [{ keyId: 'k', atHand: true, recordings: 1, sidecars: 1 }] });
  expect(text).toContain('Nothing is sealed by an older key.');
  expect(statusText({ keys: [] })).toContain('S3 seals');
});
