/** The vendor's custom element, by the guide's name. */
export const elementName = 'daspeak-streaming-web-agent-twilio';
export const vendorFiles = [`${elementName}.bundle.js`, 'config.js', 'utils.js'] as const;
export type VendorFile = (typeof vendorFiles)[number];

export interface Vendor {
  /** What config.js and utils.js export, as they are. */
  config: unknown;
  utils: unknown;
}

export type VendorLoad =
  | { kind: 'ready'; vendor: Vendor }
  /** Neither in the build nor at a URL; or a build with some of the three. */
  | { kind: 'missing'; files: readonly VendorFile[] }
  | { kind: 'failed'; file: VendorFile };

/** What webpack put into the build: `require.context` over src/components/veridas. */
export interface BuiltIn {
  keys(): string[];
  (key: string): unknown;
}

export interface VendorSources {
  builtIn: BuiltIn;
  /** `veridas.vendor_url` */
  vendorUrl: string | undefined;
  browser: {
    runScript(url: string): Promise<void>;
    importModule(url: string): Promise<unknown>;
    /** Whether the custom element exists, at once or after a moment's wait. */
    isDefined(wait: boolean): Promise<boolean>;
    global(name: string): unknown;
  };
  onError(file: VendorFile, cause: unknown): void;
}

/** Where a file that is no module leaves what it would export. */
const globals = { 'config.js': 'veridasConfig', 'utils.js': 'veridasUtils' } as const;

/**
 * The vendor's three files: those of the build, else those at `veridas.vendor_url`. Never throws.
 * @param attempt 0, 1, … : a browser keeps a module that failed to load, so that each attempt asks by a name of its own
 */
export async function loadVendor(sources: VendorSources, attempt: number): Promise<VendorLoad> {
  const builtIn = fromBuild(sources);
  if (builtIn) return builtIn;
  if (sources.vendorUrl === undefined) return { kind: 'missing', files: vendorFiles };

  const { browser, onError } = sources;
  const at = (file: VendorFile) => `${sources.vendorUrl}/${file}${attempt > 0 ? `?attempt=${attempt}` : ''}`;
  const failed = (file: VendorFile, cause: unknown): VendorLoad => {
    onError(file, cause);
    return { kind: 'failed', file };
  };
  const [bundle] = vendorFiles;
  try {
    // An element cannot be defined twice: what an earlier attempt brought stays.
    if (!(await browser.isDefined(false))) await browser.runScript(at(bundle));
    if (!(await browser.isDefined(true))) await browser.importModule(at(bundle));
    if (!(await browser.isDefined(true))) return failed(bundle, new Error(`defines no <${elementName}>`));
  } catch (cause) {
    return failed(bundle, cause);
  }
  const vendor: Vendor = { config: undefined, utils: undefined };
  for (const [file, name] of [
    ['config.js', 'config'],
    ['utils.js', 'utils'],
  ] as const) {
    try {
      vendor[name] = exported(await browser.importModule(at(file))) ?? browser.global(globals[file]);
    } catch (cause) {
      return failed(file, cause);
    }
    if (vendor[name] === undefined)
      return failed(file, new Error(`exports nothing, nor sets ${globals[file]}`));
  }
  return { kind: 'ready', vendor };
}

function fromBuild({ builtIn, onError }: VendorSources): VendorLoad | undefined {
  // The guide writes Config.js and Utils.js in one place, config.js and utils.js in another.
  const keyOf = (file: VendorFile) => builtIn.keys().find((key) => key.toLowerCase() === `./${file}`);
  const missing = vendorFiles.filter((file) => keyOf(file) === undefined);
  if (missing.length === vendorFiles.length) return undefined;
  if (missing.length > 0) return { kind: 'missing', files: missing };
  const found: unknown[] = [];
  for (const file of vendorFiles) {
    try {
      found.push(exported(builtIn(keyOf(file) ?? '')));
    } catch (cause) {
      onError(file, cause);
      return { kind: 'failed', file };
    }
  }
  return { kind: 'ready', vendor: { config: found[1], utils: found[2] } };
}

/** The default export, else all that is exported by name, else nothing. */
function exported(module: unknown): unknown {
  if (typeof module !== 'object' || module === null) return module;
  if ('default' in module) return module.default;
  return Object.keys(module).length > 0 ? module : undefined;
}
