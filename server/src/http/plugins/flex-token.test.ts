import { flexTokenOf } from './flex-token.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

test('the token follows the first colon, whatever colons it has itself', () => {
  expect(flexTokenOf(basic('token:abc'))).toBe('abc');
  expect(flexTokenOf(basic('token:a:b:c'))).toBe('a:b:c');
  expect(flexTokenOf(basic(`token:${'x'.repeat(20_000)}`))).toHaveLength(20_000);
  expect(flexTokenOf(`basic ${Buffer.from('token:abc').toString('base64')}`)).toBe('abc');
});

test('no header is a missing token', () => {
  expect(() => flexTokenOf(undefined)).toThrow(
    expect.objectContaining({ code: 'token_missing', status: 401 }),
  );
});

test.each([
  ['Bearer', `Bearer ${'x'.repeat(40)}`],
  ['another user', basic('admin:abc')],
  ['the user in capitals', basic('TOKEN:abc')],
  ['a user that only begins so', basic('tokens:abc')],
  ['no colon', basic('token')],
  ['no user', basic(':abc')],
  ['no base64', 'Basic token:abc'],
  ['nothing', 'Basic '],
  ['empty', ''],
])('%s is no Flex token', (_name, header) => {
  expect(() => flexTokenOf(header)).toThrow(
    expect.objectContaining({ code: 'token_malformed', status: 401 }),
  );
});
