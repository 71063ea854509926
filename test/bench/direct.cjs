/** Preloaded into every subject, ours and peers alike: TLS to Twilio ends at the bench's source, with each client's own agent. */
const https = require('node:https');

const { createConnection } = https.Agent.prototype;

https.Agent.prototype.createConnection = function toSource(options, done) {
  const host = options.servername || options.host;
  if (!/\.twilio\.com$/.test(host)) return createConnection.call(this, options, done);
  const port = Number(process.env.BENCH_SOURCE_PORT);
  return createConnection.call(this, { ...options, host: '127.0.0.1', port, servername: host }, done);
};
https.globalAgent = new https.Agent({ keepAlive: true });
