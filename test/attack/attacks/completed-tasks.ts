import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import type { Attack } from '../scene.ts';

export const inventedCompletions: Attack = {
  wants: 'to make the host read tasks at Twilio, or to give it what a task is to say',
  async run(scene) {
    const { server } = scene.stack.urls;
    const path = '/webhooks/flex/task-complete';
    const fields = { TaskSid: `WT${'a'.repeat(32)}`, TaskAttributes: '{"email":"eve@example.com"}' };
    const send = (headers: Record<string, string>, body: string) =>
      fetch(server + path, { method: 'POST', body, headers });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const json = { 'content-type': 'application/json' };
    const text = new URLSearchParams(fields).toString();
    const tokenOfTwilio = scene.stack.hostEnvironment['TWILIO_AUTH_TOKEN'] ?? '';
    const publicUrl = scene.stack.hostEnvironment['CUSTODY_PUBLIC_URL'] ?? '';
    const sign = (token: string, url: string, of: Record<string, string> = fields) =>
      getExpectedTwilioSignature(token, url, of);
    const basic = `Basic ${Buffer.from('token:eyJ.a.b.c.d').toString('base64')}`;
    const strangers = [
      await send(json, JSON.stringify(fields)),
      await send({ ...json, authorization: basic }, JSON.stringify(fields)),
      await send({ ...json, authorization: 'Bearer x' }, JSON.stringify(fields)),
    ];
    expect(strangers.map(({ status }) => status)).toEqual([401, 401, 401]);
    for (const signature of [
      'x',
      sign('0'.repeat(32), publicUrl + path),
      // Signatures of Twilio's, of another URL and of another task.
      sign(tokenOfTwilio, `${publicUrl}/events`),
      sign(tokenOfTwilio, publicUrl + path, { ...fields, TaskSid: `WT${'b'.repeat(32)}` }),
    ])
      expect((await send({ ...form, 'x-twilio-signature': signature }, text)).status).toBe(503);
    // With the right signature the task is looked for, and TaskRouter has none: what was sent beside its SID is ignored.
    const signed = { ...form, 'x-twilio-signature': sign(tokenOfTwilio, publicUrl + path) };
    expect((await send(signed, text)).status).toBe(202);
  },
};
