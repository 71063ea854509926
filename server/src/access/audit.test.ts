import { readFileSync } from 'node:fs';
import type { RecordingSid, WorkerSid } from '@flex-custody/core';
import { auditActions, bearerLink, createAudit } from './audit.ts';

const workerSid = `WK${'1'.repeat(32)}` as WorkerSid;
const subject = { kind: 'recording', sid: 'RE1' as RecordingSid } as const;

function database(fail = false) {
  const written: (readonly unknown[])[] = [];
  const query = async <T>(_sql: string, values: readonly unknown[] = []): Promise<T[]> => {
    if (fail) throw new Error('connection lost');
    written.push(values);
    return [];
  };
  return { db: { query }, written };
}

test('an entry says who, what, about what, whether and why', async () => {
  const { db, written } = database();
  const viewer = { identity: 'ada', workerSid, roles: ['agent', 'supervisor'] };
  await createAudit(db).record({
    viewer,
    action: 'play',
    subject,
    allowed: true,
    reason: 'own-call',
    requestId: 'r1',
    custody: 'proven',
  });
  expect(written).toEqual([
    ['ada', workerSid, ['agent', 'supervisor'], 'play', 'recording', 'RE1', true, 'own-call', 'r1', 'proven'],
  ]);
});

test('a bearer of a link has no worker and no roles', async () => {
  const { db, written } = database();
  await createAudit(db).record({
    viewer: bearerLink,
    action: 'segment-link',
    subject,
    allowed: false,
    reason: 'link_revoked',
  });
  expect(written).toEqual([
    ['bearer-link', null, [], 'segment-link', 'recording', 'RE1', false, 'link_revoked', null, null],
  ]);
});

test('what cannot be written is an error that stops the playing', async () => {
  const { db } = database(true);
  const entry = {
    viewer: bearerLink,
    action: 'play',
    subject,
    allowed: true,
    reason: '',
  } as const;
  await expect(createAudit(db).record(entry)).rejects.toMatchObject({
    code: 'audit_unavailable',
    status: 503,
    retryable: true,
  });
});

test('docs/access.md says of each action what the list says, and of no other', () => {
  const page = readFileSync('docs/access.md', 'utf8').split('### Actions')[1] ?? '';
  const rows = [...page.matchAll(/^\| `([\w.-]+)` \| (.*) \|$/gm)].map(([, action, means]) => [
    action,
    means,
  ]);
  expect(Object.fromEntries(rows)).toEqual(auditActions);
});
