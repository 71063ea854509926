import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
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
  /** In the present: `Preparing plugin-recording`. */
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

  /** The command that a person has for it too: it installs and builds what is older than its sources. */
  const preparePlugin = (plugin: string, step: Step) =>
    new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [join(root, 'plugins.mjs'), plugin], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.add(child);
      const hear = (data: Buffer) => {
        const line = String(data)
          .split('\n')
          .findLast((one) => one.trim() !== '')
          ?.trim();
        if (line) step.said = line.slice(0, 200);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('error', reject);
      child.once('close', (status) => {
        children.delete(child);
        if (status === 0) resolve();
        else reject(new Error(step.said ?? `${plugin} could not be prepared`));
      });
    });

  const prepare = async () => {
    const own = join(modules(first), '@twilio', 'flex-ui', 'package.json');
    // Flex UI comes with the first plugin's packages.
    const wanted = plugins.length > 0 || existsSync(own) ? plugins : [first];
    // Named first, so that a person sees how much there is.
    const planned: [Step, (step: Step) => Promise<void>][] = wanted.map((plugin) => [
      { what: `Preparing ${plugin}`, state: 'waiting' },
      (step) => preparePlugin(plugin, step),
    ]);
    planned.push([
      { what: 'Bundling Flex UI for a page', state: 'waiting' },
      async () => {
        if (!isFresh(flexUi, own)) await bundle(modules(first), flexUi);
      },
    ]);
    steps.push(...planned.map(([step]) => step));
    for (const [step, work] of planned) {
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

/** True where the file is there, and what it is made of is not newer. */
function isFresh(file: string, made: string): boolean {
  return existsSync(file) && (!existsSync(made) || statSync(made).mtimeMs <= statSync(file).mtimeMs);
}

async function bundle(nodeModules: string, outfile: string): Promise<void> {
  // Imported late: without a visit of the desktop no bundler is needed.
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
