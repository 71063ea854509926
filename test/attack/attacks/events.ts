import { createHash } from 'node:crypto';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { account, cloudEvent } from '../../../server/src/events/testing/cloud-events.ts';
import { until } from '../../support/until.ts';
import type { Attack } from '../scene.ts';

export const inventedEvents: Attack = {
  wants: "to write agents' events into the inbox, or to make Twilio drop its own",
  async run(scene) {
    const { server } = scene.stack.urls;
    const body = JSON.stringify([cloudEvent({ n: 1 })]);
    const hash = createHash('sha256').update(body).digest('hex');
    const send = (signature: string | undefined, { query = hash, method = 'POST' } = {}) =>
      fetch(`${server}/events?bodySHA256=${query}`, {
        method,
        ...(method === 'POST' && { body }),
        headers: {
          'content-type': 'application/json',
          ...(signature && { 'x-twilio-signature': signature }),
        },
      });
    const sign = (token: string, url: string) => getExpectedTwilioSignature(token, url, {});
    const others = createHash('sha256').update('[]').digest('hex');
    const tokenOfTwilio = scene.stack.hostEnvironment['TWILIO_AUTH_TOKEN'] ?? '';
    const publicUrl = scene.stack.hostEnvironment['CUSTODY_PUBLIC_URL'] ?? '';
    for (const reply of [
      await send(undefined),
      await send('x'),
      await send(sign('0'.repeat(32), `${publicUrl}/events?bodySHA256=${hash}`)),
      // A signature that was seen, with another body.
      await send(sign(tokenOfTwilio, `${publicUrl}/events?bodySHA256=${others}`), { query: others }),
      await send(undefined, { method: 'GET' }),
    ])
      expect(reply.status).toBe(503);
    /** What came from outside: the host itself writes events of the pauses that other attacks try. */
    const events = async () => {
      const { events: all } = JSON.parse((await scene.command(['recorder', 'events', '--json'])).out) as {
        events: { source: string; stored: number; setAside: number }[];
      };
      return all.filter(({ source }) => source !== 'own');
    };
    expect(await events()).toEqual([]);
    await until(async () => (await scene.alarms()).includes('events_refused'));
    // With the right signature it is read, and refused all the same: it is of another account.
    expect(account).not.toBe(scene.stack.hostEnvironment['TWILIO_ACCOUNT_SID']);
    expect((await send(sign(tokenOfTwilio, `${publicUrl}/events?bodySHA256=${hash}`))).status).toBe(200);
    expect(await events()).toMatchObject([{ source: 'webhook', stored: 0, setAside: 1 }]);
  },
};
