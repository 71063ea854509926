import { readFileSync } from 'node:fs';

test.each(['server/src/start/main.ts', 'server/bin/flex-custody.mjs'])(
  '%s bounds the young generation before it loads the host',
  (entry) => {
    const text = readFileSync(entry, 'utf8');
    const loaded = [...text.matchAll(/^import .* from '([^']+)'/gm)].map(([, name]) => name);
    expect(loaded.filter((name) => !name?.startsWith('node:'))).toEqual([]);
    expect(text.indexOf('--semi-space-growth-factor=1')).toBeGreaterThan(0);
    expect(text.indexOf('await import(')).toBeGreaterThan(text.indexOf('--semi-space-growth-factor=1'));
  },
);
