import http from 'node:http';
import { job, sid, vault } from './testing/vault.ts';

/** Requests are most of what a short recording costs: one more is to be seen here before it is seen in the bench. */
const { open, media } = vault();

/** What is asked of the bucket, by the SDK or without it. */
function bucketRequests(): { asked: string[]; restore: () => void } {
  const asked: string[] = [];
  const request = http.request;
  const spy = jest.spyOn(http, 'request').mockImplementation(((...args: Parameters<typeof request>) => {
    const { method, path } = args[0] as http.RequestOptions;
    const key = /^\/custody\/([^?]*)/.exec(path ?? '')?.[1];
    if (key !== undefined) asked.push(`${method} ${key.split('/').at(-1)}`);
    return request(...args);
  }) as typeof request);
  return { asked, restore: () => spy.mockRestore() };
}

test("a recording's whole way asks the bucket three times, for its media once, and Twilio six times for its link", async () => {
  const host = await open();
  const answer = await host.ingest.receive(host.callback);
  if (answer.action !== 'copy') throw new Error(`no lease: ${answer.action}`);
  await host.catalog.release(sid, answer.lease);
  expect([...host.twilio.asked].sort()).toEqual([
    'call',
    'recording',
    'reservation',
    'task',
    'updateTask',
    'worker',
  ]);
  host.twilio.asked.length = 0;
  host.queue.sent = [];
  const { asked, restore } = bucketRequests();
  try {
    await host.copiedByHost();
  } finally {
    restore();
  }
  expect(await host.catalog.find(sid)).toMatchObject({ state: 'verified', linkState: 'linked' });
  expect(asked).toEqual([`PUT ${sid}`, `GET ${sid}`, `PUT ${sid}.json`]);
  expect(media.urls).toHaveLength(1);
  expect(host.twilio.asked).toEqual([]);
  expect(host.queue.lengths).toEqual([sid]);
  expect(host.queue.sent).toEqual([{ name: 'verify', data: job, options: { once: sid } }]);
});
