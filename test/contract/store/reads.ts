import { randomBytes } from 'node:crypto';
import type { Stored } from '@flex-custody/vault';
import { all, bytesOf, codeOf, partBytes, type StoreSubject, stored } from './store-subject.ts';

/** What the store says of its objects, and how it is refused. */
export function reads(subject: StoreSubject): void {
  describe('get', () => {
    const bytes = randomBytes(partBytes + 1_000);
    const key = 'g/ä object';
    let put: Stored;
    beforeAll(async () => {
      put = await stored(subject.store, key, bytes);
    });

    test.each([
      ['the whole', undefined, undefined, 0, bytes.length],
      ['the first byte', 0, 0, 0, 1],
      ['across the parts', partBytes - 5, partBytes + 4, partBytes - 5, partBytes + 5],
      ['the last byte', bytes.length - 1, bytes.length - 1, bytes.length - 1, bytes.length],
      ['from somewhere on', bytes.length - 10, undefined, bytes.length - 10, bytes.length],
      ['past the end', bytes.length - 10, bytes.length + 10, bytes.length - 10, bytes.length],
    ])('%s', async (_what, start, end, from, to) => {
      const range = { ...(start !== undefined && { start }), ...(end !== undefined && { end }) };
      const version = put.versionId === undefined ? {} : { versionId: put.versionId };
      const got = await subject.store.get(key, { ...range, ...version, ifMatch: put.etag });
      expect(got).toMatchObject({ etag: put.etag, bytes: to - from, totalBytes: bytes.length });
      expect((await bytesOf(got.body)).equals(bytes.subarray(from, to))).toBe(true);
    });

    test('tells absence, change and impossible ranges apart', async () => {
      expect(await codeOf(subject.store.get('g/nothing'))).toBe('object_missing');
      expect(await subject.store.head('g/nothing')).toBeUndefined();
      const other = '"00000000000000000000000000000000"';
      expect(await codeOf(subject.store.get(key, { ifMatch: other }))).toBe('object_changed');
      expect(await codeOf(subject.store.get(key, { ifMatch: other, start: 0, end: 9 }))).toBe(
        'object_changed',
      );
      expect(await codeOf(subject.store.get(key, { start: bytes.length }))).toBe('object_range');
    });

    test('a link plays it as audio, ranges too, and keeps it out of caches', async () => {
      const url = await subject.store.presignGet(key, put.versionId, 60);
      const answer = await fetch(url, { headers: { range: 'bytes=10-19' } });
      expect(answer.status).toBe(206);
      expect(answer.headers.get('content-type')).toBe('audio/wav');
      expect(answer.headers.get('cache-control')).toBe('private, no-store');
      expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    });
  });

  test('a list has what stands there now, by prefix', async () => {
    for (const name of ['l/1', 'l/2', 'l/gone', 'm/1']) {
      await subject.store.putBytes(name, Buffer.from(name));
    }
    await subject.store.delete('l/gone');
    const found = await all(subject.store.list('l/'));
    expect(found.map((one) => [one.key, one.bytes])).toEqual([
      ['l/1', 3],
      ['l/2', 3],
    ]);
    expect(found[0]?.etag).toBe((await subject.store.head('l/1'))?.etag);
    expect(Math.abs((found[0]?.lastModified.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test('a list begins behind a key, whether that is there or not', async () => {
    for (const name of ['a/1', 'a/1.json', 'a/2', 'a/3']) {
      await subject.store.putBytes(name, Buffer.from(name));
    }
    const behind = async (after: string) =>
      (await all(subject.store.list('a/', { after }))).map(({ key }) => key);
    expect(await behind('a/1')).toEqual(['a/1.json', 'a/2', 'a/3']);
    expect(await behind('a/2.json')).toEqual(['a/3']);
    expect(await behind('a/3')).toEqual([]);
  });

  test('a deleted object is not there; its version, where kept, until that is deleted too', async () => {
    const { versionId } = await subject.store.putBytes('d/1', Buffer.from('x'));
    await subject.store.delete('d/1');
    await subject.store.delete('d/1');
    expect(await subject.store.head('d/1')).toBeUndefined();
    expect(await codeOf(subject.store.get('d/1'))).toBe('object_missing');
    if (versionId === undefined) return;
    expect(await subject.store.head('d/1', versionId)).toMatchObject({ bytes: 1, versionId });
    await subject.store.delete('d/1', versionId);
    expect(await subject.store.head('d/1', versionId)).toBeUndefined();
  });
}
