import { readFrame, writeFrame } from './twilsock.ts';

test('reads what it writes, in bytes and not in characters', () => {
  const frame = readFrame(writeFrame({ method: 'reply', name: 'Zoë' }, { text: 'größer €' }));
  expect(frame.header).toMatchObject({ method: 'reply', name: 'Zoë', payload_type: 'application/json' });
  expect(frame.header['payload_size']).toBe(Buffer.byteLength(frame.payload));
  expect(JSON.parse(frame.payload)).toEqual({ text: 'größer €' });
});

test('a frame without a payload has none', () => {
  const { header, payload } = readFrame(writeFrame({ method: 'reply' }));
  expect([header['payload_size'], header['payload_type'], payload]).toEqual([0, undefined, '']);
});

test.each(['', 'GET / HTTP/1.1\r\n', 'TWILSOCK V3.0 x\r\n{}'])('%j is no frame', (text) => {
  expect(() => readFrame(Buffer.from(text))).toThrow();
});
