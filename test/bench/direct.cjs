/** Preloaded into every copying subject, ours and peers alike: TLS to api.twilio.com ends at the bench's source. */
const https = require('node:https');
const tls = require('node:tls');

class Direct extends https.Agent {
  createConnection(options, done) {
    return tls.connect(
      {
        ...options,
        host: '127.0.0.1',
        port: Number(process.env.BENCH_SOURCE_PORT),
        servername: 'api.twilio.com',
      },
      done,
    );
  }
}
https.globalAgent = new Direct({ keepAlive: true });
