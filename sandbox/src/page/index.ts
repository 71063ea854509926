import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

export interface PageOptions {
  /** Where the custody host is reached from a browser; the page asks its `url_provider` as Flex Insights does. */
  hostUrl: string;
  /** Other origins that recordings may be played from: the S3 endpoint in `sse-kms` mode. */
  mediaOrigins?: readonly string[];
  /** The folder with the page's files. Default: `sandbox/src/page/assets` below the current directory. */
  root?: string;
}

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

/** A list instead of a folder's content: no name that a browser sends ever becomes a path. */
const assets = [
  'index.html',
  'style.css',
  'forms.css',
  'call.css',
  'listen.css',
  'holds.css',
  'sessions.css',
  'brevo.css',
  'icon.svg',
  'app.js',
  'api.js',
  'desktop.js',
  'dom.js',
  'steps.js',
  'holds.js',
  'sessions.js',
  'brevo.js',
  'texts.js',
  'listen.js',
  'waveform.js',
  'forms.js',
] as const;

/** Registers the start page: `GET /` and its assets under `/page/`. */
export function pageRoutes(app: FastifyInstance, options: PageOptions): void {
  const root = options.root ?? join(process.cwd(), 'sandbox', 'src', 'page', 'assets');
  const headers = {
    'content-security-policy': policy([options.hostUrl, ...(options.mediaOrigins ?? [])]),
    'cache-control': 'no-cache',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
  for (const name of assets) {
    app.get(name === 'index.html' ? '/' : `/page/${name}`, async (_request, reply) => {
      const body = await readFile(join(root, name));
      return reply.headers(headers).type(typeOf(name)).send(body);
    });
  }
  app.get('/page/settings.json', async (_request, reply) =>
    reply.headers(headers).send({ hostUrl: options.hostUrl }),
  );
}

function typeOf(name: (typeof assets)[number]): string {
  return types[name.slice(name.lastIndexOf('.') + 1) as keyof typeof types];
}

/** Only this page's own files run, and it may send requests to the host alone. */
function policy(hosts: readonly string[]): string {
  const origins = hosts.map((host) => new URL(host).origin).join(' ');
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src 'self' ${origins}`,
    `media-src 'self' ${origins}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
