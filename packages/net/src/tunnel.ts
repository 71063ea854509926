import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';

/** The code of {@link ProxyRefusal}. */
export const PROXY_REFUSED = 'proxy_refused';

/** The proxy answered, and connects to no target: what it says is no word of the target's. */
export class ProxyRefusal extends Error {
  readonly code = PROXY_REFUSED;
  constructor(
    readonly status: number,
    target: string,
  ) {
    super(`the proxy does not connect to ${target} (${status})`);
  }
}

/**
 * Has a proxy connect to `target` (host:port), by CONNECT.
 * @throws {@link ProxyRefusal}, or the connection's own error; `ETIMEDOUT` after `limitMs`
 */
export function openTunnel(proxy: URL, target: string, limitMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asking = (proxy.protocol === 'https:' ? https : http).request({
      host: hostOf(proxy),
      port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorization(proxy) },
      agent: false,
    });
    const timer = setTimeout(() => {
      const error = new Error(`the proxy did not connect to ${target} within ${limitMs} ms`);
      fail(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, limitMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
      asking.destroy();
    };
    asking.on('error', fail);
    // A refusal with a body arrives as an ordinary answer too, since it upgrades nothing.
    const refused = ({ statusCode = 0 }: http.IncomingMessage) => fail(new ProxyRefusal(statusCode, target));
    asking.once('response', refused);
    asking.once('connect', (answer, socket, head) => {
      const { statusCode = 0 } = answer;
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        return refused(answer);
      }
      clearTimeout(timer);
      if (head.byteLength > 0) socket.unshift(head);
      resolve(socket);
    });
    asking.end();
  });
}

/** Without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

export function proxyAuthorization({ username, password }: URL): { 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
