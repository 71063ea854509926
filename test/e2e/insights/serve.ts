import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';

const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Conversation</title>
<link rel="icon" href="data:,"></head>
<body><div id="player" style="width: 900px"></div><script src="/page.js"></script></body></html>`;

/** Serves a page with the real Player on an origin of its own, as Flex has one. */
export async function serveInsights(): Promise<{ origin: string; close(): Promise<void> }> {
  const bundle = await build({
    entryPoints: [join(process.cwd(), 'test/e2e/insights/page.mjs')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  const script = bundle.outputFiles[0]!.text;
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
