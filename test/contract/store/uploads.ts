import { randomBytes } from 'node:crypto';
import { all, bytesOf, codeOf, partBytes, type StoreSubject } from './store-subject.ts';

const refused = /^(upload_gone|store_unavailable)$/;
/** A page has a thousand: more of them take a while where others use the machine. */
const longMs = 180_000;

/** So many requests, some at once. */
async function together(count: number, ask: (at: number) => Promise<unknown>): Promise<void> {
  const lanes = count < 100 ? 1 : 16;
  const lane = async (first: number) => {
    for (let at = first; at < count; at += lanes) await ask(at);
  };
  await Promise.all(Array.from({ length: lanes }, (_, first) => lane(first)));
}

/** Uploads that one process begins and another finishes, and what versions are left of an object. */
export function uploads(subject: StoreSubject): void {
  describe('an upload in parts', () => {
    const pieces = [randomBytes(partBytes), randomBytes(partBytes), randomBytes(1_000)];
    const whole = Buffer.concat(pieces);
    const begin = async (key: string) => {
      const { store } = subject;
      const id = await store.beginUpload(key);
      return {
        id,
        send: (number: number, body = pieces[number - 1] as Buffer) => store.sendPart(key, id, number, body),
      };
    };

    test('is gone on with by whoever knows its id', async () => {
      const { store } = subject;
      const { id, send } = await begin('r/1');
      // In any order, and once more with other bytes: the later ones count.
      const third = await send(3);
      await send(1, randomBytes(partBytes));
      const first = await send(1);
      const second = await send(2);
      const arrived = await all(store.parts('r/1', id));
      expect(arrived.map(({ number, etag, bytes }) => [number, etag, bytes])).toEqual([
        [1, first.etag, partBytes],
        [2, second.etag, partBytes],
        [3, third.etag, 1_000],
      ]);
      expect(await store.head('r/1')).toBeUndefined();
      const stored = await store.completeUpload('r/1', id, [third, first, second], whole.length);
      expect(stored.bytes).toBe(whole.length);
      expect(await store.head('r/1')).toMatchObject(stored);
      const { body } = await store.get('r/1', { ifMatch: stored.etag });
      expect((await bytesOf(body)).equals(whole)).toBe(true);
    });

    test('that is no more is told apart', async () => {
      const { store } = subject;
      const { id, send } = await begin('r/2');
      const first = await send(1);
      await store.abortUpload('r/2', id);
      expect(await codeOf(all(store.parts('r/2', id)))).toBe('upload_gone');
      // What is sent to it is refused at once, by the end of the connection, or by an error of the store's own.
      expect(await codeOf(send(2))).toMatch(refused);
      expect(await codeOf(store.completeUpload('r/2', id, [first], partBytes))).toMatch(refused);
    });

    test(
      'lists more parts than fit into one page',
      async () => {
        const { store } = subject;
        const { id, send } = await begin('r/3');
        // Pages are the same with and without versions.
        const count = subject.versioned ? 1_003 : 3;
        await together(count, (at) => send(at + 1, Buffer.from('x')));
        const arrived = await all(store.parts('r/3', id));
        expect(arrived.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
        await store.abortUpload('r/3', id);
      },
      longMs,
    );
  });

  test('a small object goes in one request', async () => {
    const { store } = subject;
    const stored = await store.putBytes('b/1', Buffer.from('small'));
    expect(await store.head('b/1')).toMatchObject(stored);
    expect((await bytesOf((await store.get('b/1')).body)).toString()).toBe('small');
  });

  test('every version and delete marker is listed, the newest first', async () => {
    const { store } = subject;
    const first = await store.putBytes('w/a', Buffer.from('1'));
    const second = await store.putBytes('w/a', Buffer.from('22'));
    await store.putBytes('w/b', Buffer.from('3'));
    await store.delete('w/b');
    const found = await all(store.versions('w/'));
    const seen = found.map(({ key, versionId, bytes, latest, deleteMarker }) => [
      key,
      versionId === first.versionId ? 'first' : versionId === second.versionId ? 'second' : 'other',
      deleteMarker ? 'gone' : bytes,
      latest,
    ]);
    if (subject.versioned) {
      expect(seen).toEqual([
        ['w/a', 'second', 2, true],
        ['w/a', 'first', 1, false],
        ['w/b', 'other', 'gone', true],
        ['w/b', 'other', 1, false],
      ]);
    } else expect(seen.map(([key, , bytes]) => [key, bytes])).toEqual([['w/a', 2]]);
  });

  test(
    'more versions than fit into one page are all listed',
    async () => {
      const { store } = subject;
      const count = subject.versioned ? 1_003 : 3;
      await together(count, () => store.putBytes('x/many', Buffer.from('x')));
      const found = await all(store.versions('x/'));
      expect(found).toHaveLength(subject.versioned ? count : 1);
      expect(new Set(found.map(({ versionId }) => versionId)).size).toBe(found.length);
    },
    longMs,
  );
}
