import { advice, type Seen } from './finding.ts';
import type { Scene } from './scene.ts';

const answerMs = 7_000;

export async function host({ config: { publicUrl } }: Scene): Promise<Seen> {
  const reply = await fetch(`${publicUrl}/`, {
    signal: AbortSignal.timeout(answerMs),
    redirect: 'manual',
  }).catch(() => {
    throw advice(
      `nothing answers at ${publicUrl}`,
      'start the host (flex-custody serve), or check CUSTODY_PUBLIC_URL and the proxy',
    );
  });
  const body: unknown = await reply.json().catch(() => undefined);
  if (reply.ok && (body as { name?: unknown } | undefined)?.name === 'flex-custody')
    return `answers at ${publicUrl}`;
  throw advice(
    `${publicUrl} answers ${reply.status}, but not as this host`,
    'point CUSTODY_PUBLIC_URL, or the proxy behind it, to the host',
  );
}
