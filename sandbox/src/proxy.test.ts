import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type ConnectProxy, startProxy } from './proxy.ts';

let behind: Server;
let arrived: Socket[] = [];
let proxy: ConnectProxy;
let refused: string[] = [];

beforeAll(async () => {
  behind = createServer((socket) => {
    arrived.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => socket.write(`echo ${chunk}`));
  });
  await new Promise<void>((resolve) => behind.listen(0, '127.0.0.1', resolve));
  const { port } = behind.address() as AddressInfo;
  proxy = await startProxy(port, (target) => refused.push(target), { 'api.brevo.com': port });
});
afterAll(async () => {
  await proxy.close();
  await new Promise((resolve) => behind.close(resolve));
});
beforeEach(() => {
  arrived = [];
  refused = [];
});

/** Asks for a tunnel; what is sent with the request must reach the other side too. */
async function tunnel(target: string, early = ''): Promise<{ status: string; socket: Socket }> {
  const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${early}`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  return { status: head.toString().split(' ')[1] ?? '', socket };
}

test('a tunnel to one of Twilio’s names carries both ways, from the first byte', async () => {
  const { status, socket } = await tunnel('api.twilio.com:443', 'early');
  expect(status).toBe('200');
  const [echo] = (await once(socket, 'data')) as [Buffer];
  expect(echo.toString()).toBe('echo early');
  socket.destroy();
});

test('another host has a port of its own', async () => {
  const { status, socket } = await tunnel('api.brevo.com:443', 'early');
  expect(status).toBe('200');
  const [echo] = (await once(socket, 'data')) as [Buffer];
  expect(echo.toString()).toBe('echo early');
  socket.destroy();
});

test.each([
  'example.com:443',
  'brevo.com:443',
  'api.brevo.com:80',
  'api.twilio.com:80',
  'twilio.com:443',
  'api.twilio.com.example.com:443',
  'sync.twilio.com:443',
  '127.0.0.1:443',
])('%s is refused before anything is connected', async (target) => {
  const { status, socket } = await tunnel(target);
  expect(status).toBe('403');
  expect([arrived, refused]).toEqual([[], [target]]);
  socket.destroy();
});

test('a client that goes away takes its tunnel with it, and the other way round', async () => {
  const leaving = await tunnel('iam.twilio.com:443', 'x');
  await once(leaving.socket, 'data');
  const [kept] = arrived as [Socket];
  const ended = once(kept, 'close');
  leaving.socket.resetAndDestroy();
  await ended;
  const left = await tunnel('iam.twilio.com:443', 'x');
  await once(left.socket, 'data');
  const closed = once(left.socket, 'close');
  arrived.at(-1)?.resetAndDestroy();
  await closed;
});

test('closing ends what is still open', async () => {
  const other = await startProxy((behind.address() as AddressInfo).port, () => undefined);
  const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await other.close();
  await closed;
});
