import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificates } from '../../../sandbox/src/certificates.ts';
import { wavHeader, whiteNoise } from './noise.ts';

/**
 * Stands in for api.twilio.com's media in a process of its own: TLS, and as many bytes of WAV as the recording's SID
 * says (its last 12 digits), sent as fast as they are taken, so that it limits nobody.
 */
const dataDir = process.argv[2] ?? process.env['BENCH_DATA_DIR'] ?? '.';
const { caFile, key, cert } = await makeCertificates(dataDir);

const noise = whiteNoise(1 << 20);

const server = createServer({ key, cert }, (request, response) => {
  const total = Number(/RE\d{20}(\d{12})/.exec(request.url ?? '')?.[1] ?? 0);
  if (total < 44) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': total });
  response.write(wavHeader(total));
  let left = total - 44;
  const more = () => {
    while (left > 0) {
      const chunk = left < noise.length ? noise.subarray(0, left) : noise;
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port, caFile })}\n`);
});
