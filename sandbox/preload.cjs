/**
 * For clients that know no proxy variable: makes the
 * default agent of `https` go through HTTPS_PROXY. Loaded by `NODE_OPTIONS=--require`, so production code has no hook.
 */
const http = require('node:http');
const https = require('node:https');
const tls = require('node:tls');

const proxy = process.env.HTTPS_PROXY ?? process.env.https_proxy;

class TunnelAgent extends https.Agent {
  createConnection(options, done) {
    const { hostname, port } = new URL(proxy);
    const target = `${options.host}:${options.port ?? 443}`;
    const request = http.request({
      host: hostname,
      port,
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      agent: false,
    });
    request.once('error', done);
    request.once('connect', (response, socket) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        done(new Error(`the proxy refused ${target} with ${response.statusCode}`));
        return;
      }
      const secure = tls.connect({
        ...options,
        socket,
        path: undefined,
        servername: options.servername || options.host,
      });
      secure.once('close', () => socket.destroy());
      done(null, secure);
    });
    request.end();
  }
}

if (proxy) https.globalAgent = new TunnelAgent({ keepAlive: true, timeout: 30_000 });
