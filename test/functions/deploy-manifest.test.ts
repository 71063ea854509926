import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';

interface Manifest {
  dependencies: Record<string, string>;
}

const read = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
const root = read('package.json').dependencies;
const folder = 'dist/functions';

beforeAll(() => {
  execFileSync(process.execPath, ['build.mjs', '--functions']);
});

describe("the root's dependencies are what Twilio's build installs", () => {
  test('each by one exact version: a range floats, and there is no lock file there', () => {
    for (const [name, version] of Object.entries(root)) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    }
  });

  test('none of ours, which the registry does not have', () => {
    expect(Object.keys(root).filter((name) => name.startsWith('@flex-custody/'))).toEqual([]);
  });

  // The npm package and the platform's part share a name, not their versions: 2.0.1 is on both.
  test('the runtime handler is one that the platform has', () => {
    expect(root['@twilio/runtime-handler']).toBe('2.0.1');
  });

  test('the very versions that the rooms are tested with', () => {
    for (const workspace of ['packages/vault', 'server', 'sandbox']) {
      const own = read(`${workspace}/package.json`).dependencies;
      for (const [name, version] of Object.entries(own)) {
        if (root[name]) expect([workspace, name, version]).toEqual([workspace, name, root[name]]);
      }
    }
  });
});

describe('what is uploaded', () => {
  test('is the Functions that have a URL, and nothing else', () => {
    const sources = readdirSync('functions').filter((name) => /^[\w-]+(\.protected)?\.ts$/.test(name));
    expect(readdirSync(folder).sort()).toEqual(sources.map((name) => name.replace(/\.ts$/, '.js')).sort());
    expect(readdirSync(folder)).toContain('recording-status-callback.protected.js');
  });

  test.each(readdirSync('functions').filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')))(
    '%s requires only what is installed there',
    (name) => {
      const text = readFileSync(`${folder}/${name.replace(/\.ts$/, '.js')}`, 'utf8');
      const required = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1] ?? '');
      const packages = required
        .filter((path) => !path.startsWith('node:') && !builtinModules.includes(path))
        .map((path) =>
          path
            .split('/')
            .slice(0, path.startsWith('@') ? 2 : 1)
            .join('/'),
        );
      expect([...new Set(packages)].filter((one) => !(one in root))).toEqual([]);
      expect(required.filter((path) => path.startsWith('.'))).toEqual([]);
      expect(text.length).toBeLessThan(1_000_000);
    },
  );

  test('stays short where it is written: a Function has no rules of its own', () => {
    for (const name of readdirSync('functions').filter((file) => file.endsWith('.ts'))) {
      expect([name, readFileSync(`functions/${name}`, 'utf8').split('\n').length < 60]).toEqual([name, true]);
    }
  });

  test('the deploy command looks there, and into the assets', () => {
    const text = readFileSync('.twilioserverlessrc', 'utf8');
    expect(text).toContain('"functionsFolder": "dist/functions"');
    expect(text).toContain('"assetsFolder": "assets"');
    expect(text).toContain('"runtime": "node22"');
  });
});
