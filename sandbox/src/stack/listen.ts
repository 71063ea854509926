import { createHash } from 'node:crypto';

export interface Listened {
  bytes: number;
  /** Of the whole file. */
  sha256: string;
  /** Whether the asked range came, as asked, and with the bytes that the whole file has there. */
  rangeMatches: boolean;
}

const rangeBytes = 64 * 1024;

/**
 * Plays a recording as the Flex Insights Player does: preflight, `url_provider` with the Flex token, then the whole
 * file and a range of it from `media_url`, without any header of its own (facts: flex-ui's Player).
 * @throws Error naming the step that was refused
 */
export async function listenAsInsights(options: {
  urlProvider: string;
  token: string;
  /** The page's origin. */
  origin: string;
}): Promise<Listened> {
  const { urlProvider, token, origin } = options;
  const preflight = await fetch(urlProvider, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  });
  if (!preflight.ok || preflight.headers.get('access-control-allow-origin') !== origin) {
    throw new Error(`preflight: ${preflight.status}`);
  }
  const answer = await fetch(urlProvider, {
    headers: { origin, authorization: `Basic ${Buffer.from(`token:${token}`).toString('base64')}` },
  });
  if (!answer.ok) throw new Error(`url_provider: ${answer.status}`);
  const { media_url: mediaUrl } = (await answer.json()) as { media_url: string };
  if (!new URL(mediaUrl).searchParams.has('X-Amz-Expires'))
    throw new Error('media_url would never be renewed');

  const whole = await fetch(mediaUrl, { headers: { origin } });
  if (whole.status !== 200 || !whole.body) throw new Error(`media: ${whole.status}`);
  const total = Number(whole.headers.get('content-length'));
  const from = Math.floor(total / 2);
  const to = Math.min(total, from + rangeBytes);
  const hash = createHash('sha256');
  const middle: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of whole.body as unknown as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    const part = chunk.subarray(Math.max(0, from - bytes), Math.max(0, to - bytes));
    if (part.length > 0) middle.push(part);
    bytes += chunk.length;
  }
  const range = await fetch(mediaUrl, { headers: { origin, range: `bytes=${from}-${to - 1}` } });
  const ranged = Buffer.from(await range.arrayBuffer());
  const rangeMatches =
    range.status === 206 &&
    range.headers.get('content-range') === `bytes ${from}-${to - 1}/${total}` &&
    ranged.equals(Buffer.concat(middle));
  return { bytes, sha256: hash.digest('hex'), rangeMatches };
}
