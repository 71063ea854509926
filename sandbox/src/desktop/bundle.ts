import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the desktop's parts lie; all below the checkout. */
export interface DesktopFiles {
  /** The checkout, with `plugin-*` in it. Default: the current directory. */
  root: string;
  /** The plugins to offer, by their folders' names. */
  plugins: readonly string[];
  /** False: never installs nor builds; what is not there is left out. */
  build: boolean;
}

export interface Step {
  /** In the present: `Installing plugin-recording's packages`. */
  what: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  /** Last line that a running step said. */
  said?: string;
}

export interface Bundle {
  /** True once Flex UI can be served. Starts what is missing, at the first question. */
  ready(): boolean;
  steps(): readonly Step[];
  flexUi(): string;
  /** The built plugins: name and file. */
  plugins(): { name: string; file: string }[];
  /** Resolves when all steps are over. */
  whenReady(): Promise<void>;
  close(): void;
}

/** What the plugins' builder keeps apart from the page: Flex brings React and Redux, and the plugins use those. */
const entry = `
import * as React from 'react';
import * as ReactDOM from 'react-dom';
import * as Redux from 'redux';
import * as ReactRedux from 'react-redux';
Object.assign(window, { React: React.default || React, ReactDOM: ReactDOM.default || ReactDOM, Redux, ReactRedux });
const Flex = require('@twilio/flex-ui');
window.Twilio = Object.assign(window.Twilio || {}, { Flex });
`;
const shim =
  "export const process = { env: { NODE_ENV: 'production' }, browser: true, version: '', nextTick: (run) => Promise.resolve().then(run) };";

export function createBundle({ root, plugins, build }: DesktopFiles): Bundle {
  const [first = 'plugin-recording'] = plugins;
  const modules = (plugin: string) => join(root, plugin, 'node_modules');
  const built = (plugin: string) => join(root, plugin, 'build', `${plugin}.js`);
  const flexUi = join(root, 'dist', 'flex', 'flex-ui.js');
  const steps: Step[] = [];
  const children = new Set<ReturnType<typeof spawn>>();
  let work: Promise<void> | undefined;

  const sources = (plugin: string) => [
    join(root, plugin, 'package.json'),
    join(root, plugin, 'src'),
    join(root, 'packages', 'core', 'src'),
  ];
  const run = (step: Step, cwd: string, args: string[]) =>
    new Promise<void>((resolve, reject) => {
      // A test's NODE_ENV would make the plugins' builder build for tests.
      const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...env } = process.env;
      const child = spawn('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env });
      children.add(child);
      const hear = (data: Buffer) => {
        const line = String(data)
          .split('\n')
          .findLast((one) => one.trim() !== '' && !/^npm (warn|notice)/i.test(one))
          ?.trim();
        if (line) step.said = line.slice(0, 200);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', reject);
      child.once('close', (status) => {
        children.delete(child);
        if (status === 0) resolve();
        else reject(new Error(step.said ?? `npm ${args[0]} has failed`));
      });
    });

  /** Named first, so that a person sees how much there is. */
  const planned: { step: Step; work: (step: Step) => Promise<void> }[] = [];
  const plan = (what: string, work: (step: Step) => Promise<void>) => {
    const step: Step = { what, state: 'waiting' };
    steps.push(step);
    planned.push({ step, work });
  };
  const install = (plugin: string) => {
    if (!existsSync(modules(plugin)))
      plan(`Installing ${plugin}'s packages`, (step) => run(step, join(root, plugin), ['ci']));
  };
  const prepare = async () => {
    install(first);
    if (!isFresh(flexUi, [join(modules(first), '@twilio', 'flex-ui', 'package.json')]))
      plan('Bundling Flex UI for a page', () => bundle(modules(first), flexUi));
    for (const plugin of plugins) {
      if (isFresh(built(plugin), sources(plugin))) continue;
      if (plugin !== first) install(plugin);
      plan(`Building ${plugin}`, (step) => run(step, join(root, plugin), ['run', 'build']));
    }
    for (const { step, work } of planned) {
      step.state = 'running';
      try {
        await work(step);
        step.state = 'done';
      } catch (error) {
        step.state = 'failed';
        step.said = error instanceof Error ? error.message : String(error);
      }
    }
  };
  let over = false;
  const whenReady = () => {
    work ??= (build ? prepare() : Promise.resolve()).then(() => {
      over = true;
    });
    return work;
  };
  return {
    ready() {
      void whenReady();
      return over && existsSync(flexUi);
    },
    steps: () => steps,
    flexUi: () => flexUi,
    plugins: () =>
      plugins.map((name) => ({ name, file: built(name) })).filter(({ file }) => existsSync(file)),
    whenReady,
    close() {
      for (const child of children) child.kill();
    },
  };
}

/** True where the file is there, and none of what it is made of is newer. */
function isFresh(file: string, made: readonly string[]): boolean {
  if (!existsSync(file)) return false;
  const at = statSync(file).mtimeMs;
  return made.every((path) => !existsSync(path) || newest(path) <= at);
}

function newest(path: string): number {
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

async function bundle(nodeModules: string, outfile: string): Promise<void> {
  // Late: whoever never opens the desktop needs no bundler.
  const { build } = await import('esbuild');
  const folder = join(outfile, '..');
  await mkdir(folder, { recursive: true });
  const inject = join(folder, 'process.js');
  await writeFile(inject, shim);
  const fresh = `${outfile}.${process.pid}.new`;
  await build({
    stdin: { contents: entry, resolveDir: join(nodeModules, '..'), loader: 'js' },
    nodePaths: [nodeModules],
    bundle: true,
    outfile: fresh,
    format: 'iife',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
    loader: { '.woff': 'dataurl', '.mp3': 'dataurl', '.svg': 'dataurl', '.png': 'dataurl' },
    inject: [inject],
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'silent',
  });
  await rename(fresh, outfile);
}
