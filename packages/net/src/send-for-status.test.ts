import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendForStatus } from './index.ts';

let server: http.Server;
let url: string;
beforeAll(async () => {
  server = http.createServer((request, response) => {
    const [, status, body] = request.url?.split('/') ?? [];
    if (status === 'silent') return;
    response.writeHead(Number(status), { location: '/200/whole' });
    if (body === 'slow') response.write('half');
    else if (body === 'endless') pour(response);
    else response.end('whole');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function pour(response: http.ServerResponse) {
  while (response.write('x'.repeat(4_096)));
  if (!response.destroyed) response.once('drain', () => pour(response));
}

const send = (path: string, limitMs = 10_000) => sendForStatus(url + path, { limitMs, mostBytes: 4_096 });

test('every status is one, and no redirect is followed', async () => {
  for (const status of [200, 204, 301, 404, 503]) expect(await send(`/${status}/whole`)).toBe(status);
});

test('a body without an end is read to its limit, and one that stops for as long as the limit', async () => {
  expect(await send('/200/endless', 60_000)).toBe(200);
  expect(await send('/200/slow', 100)).toBe(200);
});

test('no answer in time is an error, and so is the end of who asks', async () => {
  await expect(send('/silent', 50)).rejects.toThrow();
  const signal = AbortSignal.abort(new Error('the process ends'));
  await expect(sendForStatus(url, { limitMs: 60_000, mostBytes: 1, signal })).rejects.toThrow(
    'the process ends',
  );
});
