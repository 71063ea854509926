import type { WorkerSid } from '@flex-custody/core';
import { bearerLink, createAudit } from './audit.ts';

const workerSid = `WK${'1'.repeat(32)}` as WorkerSid;

function database(fail = false) {
  const written: (readonly unknown[])[] = [];
  const query = async <T>(_sql: string, values: readonly unknown[] = []): Promise<T[]> => {
    if (fail) throw new Error('connection lost');
    written.push(values);
    return [];
  };
  return { db: { query }, written };
}

test('an entry says who, what, which recording, whether and why', async () => {
  const { db, written } = database();
  const viewer = { identity: 'ada', workerSid, roles: ['agent', 'supervisor'] };
  await createAudit(db).record({
    viewer,
    action: 'play',
    recordingSid: 'RE1',
    allowed: true,
    reason: 'own-call',
    requestId: 'r1',
    custody: 'proven',
  });
  expect(written).toEqual([
    ['ada', workerSid, ['agent', 'supervisor'], 'play', 'RE1', true, 'own-call', 'r1', 'proven'],
  ]);
});

test('a bearer of a link has no worker and no roles', async () => {
  const { db, written } = database();
  await createAudit(db).record({
    viewer: bearerLink,
    action: 'segment-link',
    recordingSid: 'RE1',
    allowed: false,
    reason: 'link_revoked',
  });
  expect(written).toEqual([
    ['bearer-link', null, [], 'segment-link', 'RE1', false, 'link_revoked', null, null],
  ]);
});

test('what cannot be written is an error that stops the playing', async () => {
  const { db } = database(true);
  const entry = {
    viewer: bearerLink,
    action: 'play',
    recordingSid: 'RE1',
    allowed: true,
    reason: '',
  } as const;
  await expect(createAudit(db).record(entry)).rejects.toMatchObject({
    code: 'audit_unavailable',
    status: 503,
    retryable: true,
  });
});
