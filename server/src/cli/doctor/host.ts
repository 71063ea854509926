import { sendRequest } from '@flex-custody/net';
import { advice, parsed, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const answerMs = 7_000;

export async function host({ config: { publicUrl } }: Scene): Promise<Seen> {
  const reply = await sendRequest(`${publicUrl}/`, { limitMs: answerMs, mostBytes: 64 * 1024 }).catch(() => {
    throw advice(
      `nothing answers at ${publicUrl}`,
      'start the host (flex-custody serve), or check CUSTODY_PUBLIC_URL and the proxy',
    );
  });
  const body = parsed(reply.text);
  if (reply.status === 200 && (body as { name?: unknown } | undefined)?.name === 'flex-custody')
    return `answers at ${publicUrl}`;
  throw advice(
    `${publicUrl} answers ${reply.status}, but not as this host`,
    'point CUSTODY_PUBLIC_URL, or the proxy behind it, to the host',
  );
}
