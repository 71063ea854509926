import { type BuiltIn, elementName, loadVendor, type VendorSources, vendorFiles } from './load';

const [bundle] = vendorFiles;
const vendorUrl = 'https://assets.example.com/veridas';

const build = (files: Record<string, () => unknown>): BuiltIn =>
  Object.assign((key: string) => files[key]?.(), { keys: () => Object.keys(files) });
const nothingBuilt = build({});

interface World {
  script?: () => void;
  modules?: Record<string, () => unknown>;
  globals?: Record<string, unknown>;
  builtIn?: BuiltIn;
  vendorUrl?: string | undefined;
}

function outside({ script, modules = {}, globals = {}, builtIn = nothingBuilt, ...rest }: World = {}) {
  const asked: string[] = [];
  const errors: string[] = [];
  const state = { defined: false };
  const sources: VendorSources = {
    builtIn,
    vendorUrl: 'vendorUrl' in rest ? rest.vendorUrl : vendorUrl,
    browser: {
      async runScript(url) {
        asked.push(`script ${url}`);
        if (script) script();
        else state.defined = true;
      },
      async importModule(url) {
        asked.push(`module ${url}`);
        const name = url.slice(vendorUrl.length + 1).replace(/\?.*/, '');
        const module = modules[name];
        if (!module) throw new TypeError('Failed to fetch dynamically imported module');
        return module();
      },
      isDefined: async () => state.defined,
      global: (name) => globals[name],
    },
    onError: (file) => errors.push(file),
  };
  return { sources, asked, errors, state };
}

const modules = {
  'config.js': () => ({ default: { a: '1' } }),
  'utils.js': () => ({ getTemporaryToken: 'f' }),
};

describe('a build with the vendor files', () => {
  it.each([
    ['config', 'utils'],
    ['Config', 'Utils'],
  ])('takes %s.js and %s.js, and asks no URL', async (config, utils) => {
    const run: string[] = [];
    const { sources, asked } = outside({
      builtIn: build({
        [`./${bundle}`]: () => run.push('bundle'),
        [`./${config}.js`]: () => ({ default: { a: '1' } }),
        [`./${utils}.js`]: () => ({ storeCredential: 'f' }),
      }),
    });
    expect(await loadVendor(sources, 0)).toEqual({
      kind: 'ready',
      vendor: { config: { a: '1' }, utils: { storeCredential: 'f' } },
    });
    expect([run, asked]).toEqual([['bundle'], []]);
  });

  it('names what is not there rather than mixing with a URL', async () => {
    const { sources, asked } = outside({ builtIn: build({ [`./${bundle}`]: () => 0 }) });
    expect(await loadVendor(sources, 0)).toEqual({ kind: 'missing', files: ['config.js', 'utils.js'] });
    expect(asked).toEqual([]);
  });

  it('says which file broke', async () => {
    const broken = () => {
      throw new Error('x is not defined');
    };
    const { sources, errors } = outside({
      builtIn: build({ [`./${bundle}`]: () => 0, './config.js': broken, './utils.js': () => 0 }),
    });
    expect(await loadVendor(sources, 0)).toEqual({ kind: 'failed', file: 'config.js' });
    expect(errors).toEqual(['config.js']);
  });
});

it('is missing where there is neither', async () => {
  const { sources } = outside({ vendorUrl: undefined });
  expect(await loadVendor(sources, 0)).toEqual({ kind: 'missing', files: vendorFiles });
});

describe('a folder at a URL', () => {
  it('is a script for the bundle, and modules for the other two', async () => {
    const { sources, asked } = outside({ modules });
    expect(await loadVendor(sources, 0)).toEqual({
      kind: 'ready',
      vendor: { config: { a: '1' }, utils: { getTemporaryToken: 'f' } },
    });
    expect(asked).toEqual([
      `script ${vendorUrl}/${elementName}.bundle.js`,
      `module ${vendorUrl}/config.js`,
      `module ${vendorUrl}/utils.js`,
    ]);
  });

  it('takes a bundle that is a module, too', async () => {
    const { sources, state } = outside({
      script: () => {},
      modules: { ...modules, [bundle]: () => Object.assign(state, { defined: true }) },
    });
    expect(await loadVendor(sources, 0)).toMatchObject({ kind: 'ready' });
  });

  it('takes globals from files that export nothing', async () => {
    const { sources } = outside({
      modules: { 'config.js': () => ({}), 'utils.js': () => ({}) },
      globals: { veridasConfig: { a: '2' }, veridasUtils: { b: '3' } },
    });
    expect(await loadVendor(sources, 0)).toEqual({
      kind: 'ready',
      vendor: { config: { a: '2' }, utils: { b: '3' } },
    });
  });

  it('names the file that fails, and asks by another name the next time', async () => {
    const { sources, errors, asked } = outside({ modules: { 'config.js': modules['config.js'] } });
    expect(await loadVendor(sources, 0)).toEqual({ kind: 'failed', file: 'utils.js' });
    expect(await loadVendor(sources, 1)).toEqual({ kind: 'failed', file: 'utils.js' });
    expect(errors).toEqual(['utils.js', 'utils.js']);
    expect(asked.slice(3)).toEqual([
      `module ${vendorUrl}/config.js?attempt=1`,
      `module ${vendorUrl}/utils.js?attempt=1`,
    ]);
  });

  it('fails where the bundle defines no element, or cannot be had', async () => {
    const silent = outside({ script: () => {}, modules: { ...modules, [bundle]: () => ({}) } });
    expect(await loadVendor(silent.sources, 0)).toEqual({ kind: 'failed', file: bundle });
    const away = outside({
      script: () => {
        throw new Error('cannot be loaded');
      },
    });
    expect(await loadVendor(away.sources, 0)).toEqual({ kind: 'failed', file: bundle });
  });
});
