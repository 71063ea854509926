import { randomBytes } from 'node:crypto';
import { rsaPair } from '../../test/support.ts';
import { parseKeyFile } from './key-file.ts';

const raw = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [one, two] = [rsaPair(), rsaPair()];
const pemOf = ({ privateKeyPem }: typeof one) => privateKeyPem;
const whole = `# the keys of recordings\n# key id: new\n${pemOf(one)}\n# key id: old\n${pemOf(two)}`;
const idsOf = (text: string) => {
  const config = parseKeyFile(text);
  return 'keys' in config ? config.keys.map(({ keyId }) => keyId) : [];
};
const wrong = (says: RegExp) =>
  expect.objectContaining({ code: 'key_invalid', message: expect.stringMatching(says) });

describe('a key file is read as before', () => {
  test.each([
    ['with comments and blank lines', whole],
    ['with CRLF', whole.replaceAll('\n', '\r\n')],
    ['with blanks around its lines', whole.replaceAll('\n', ' \t\n')],
    ['without a line end', whole.trimEnd()],
    ['with a name close to its sign', whole.replaceAll('# key id: ', '#key id:')],
    ['with comments that speak of ids', `# Key ids are in the wiki\n# keys: two\n${whole}`],
  ])('%s', (_what, text) => {
    const config = parseKeyFile(text);
    expect(idsOf(text)).toEqual(['new', 'old']);
    expect(config.kind === 'rsa' && config.keys.map(({ privateKeyPem }) => privateKeyPem)).toEqual([
      pemOf(one),
      pemOf(two),
    ]);
  });
});

describe('each line that is not understood is refused by its number', () => {
  const name = '# key id: old\n';
  test.each<[string, string, RegExp]>([
    ['a raw key behind a PEM', `${pemOf(one)}${raw('k')}`, /^line 29 of .*another kind/],
    ['a PEM behind a raw key', `${raw('k')}\n${pemOf(one)}`, /^line 2 of .*another kind/],
    ['a name in capitals', `# Key ID: old\n${pemOf(one)}`, /^line 1 of .*no name/],
    ['a name without its colon', `# key id old\n${pemOf(one)}`, /^line 1 of .*no name/],
    ['a name with a hyphen', `# key-id: old\n${pemOf(one)}`, /^line 1 of .*no name/],
    ['a name that goes on', `${pemOf(one)}# key id: old (2025)\n${pemOf(two)}`, /^line 29 of .*no name/],
    ['a name of other signs', `# key id: ä\n${pemOf(one)}`, /^line 1 of .*no name/],
    ['a name without a name', `# key id:\n${pemOf(one)}`, /^line 1 of .*no name/],
    ['a blank line behind a name', `${name}\n${pemOf(one)}`, /^line 1 of .*right before/],
    ['a comment behind a name', `${name}# of last year\n${pemOf(one)}`, /^line 1 of .*right before/],
    ['a name behind a name', `${name}${name}${pemOf(one)}`, /^line 1 of .*right before/],
    ['a name of nothing', `${pemOf(one)}${name}`, /^line 29 of .*right before/],
    ['a name of a raw key', `${name}${raw('old')}`, /^line 1 of .*right before/],
    ['text behind an END', pemOf(one).replace(/KEY-----\n$/, 'KEY----- x\n'), /^line 28 of /],
    ['text before a BEGIN', `x ${pemOf(one)}`, /^line 1 of .*five dashes/],
    ['a comment inside of a PEM', pemOf(one).replace('\n', '\n# x\n'), /^line 2 of /],
    ['a byte order mark', `\uFEFF${pemOf(one)}`, /^line 1 of .*byte order mark/],
    ['a word', `${pemOf(one)}hello`, /^line 29 of the key file is no PEM/],
    [
      'what openssl pkcs12 writes before a key',
      `Bag Attributes\n${pemOf(one)}`,
      /^line 1 of the key file is no PEM/,
    ],
    [
      'two keys in one',
      `${pemOf(one)}${pemOf(two)}`.replace(/-----END.*-----BEGIN[^\n]*\n/s, ''),
      /^line (1|28) of .*(one key|no part of the PEM)/,
    ],
    ['a PEM in one line', pemOf(one).replaceAll('\n', '\\n'), /^line 1 of .*five dashes/],
  ])('%s', (_what, text, says) => {
    expect(() => parseKeyFile(text)).toThrow(wrong(says));
  });
});

describe('a damaged key gives its name to no other one', () => {
  const lines = whole.split('\n');
  const marked = lines.flatMap((line, at) => (/^-----|^# key id/.test(line) ? [at] : []));
  const damages = marked.flatMap((at) =>
    [...(lines[at] ?? '')].map((_, column) =>
      lines.map((line, n) => (n === at ? line.slice(0, column) + line.slice(column + 1) : line)).join('\n'),
    ),
  );

  test('where a sign of a name, BEGIN or END is lost, every key has its own name still, or the file is refused', () => {
    expect(damages.length).toBeGreaterThan(100);
    for (const text of damages) {
      let config: ReturnType<typeof parseKeyFile>;
      try {
        config = parseKeyFile(text);
      } catch (error) {
        expect(error).toMatchObject({
          code: 'key_invalid',
          message: expect.stringMatching(/line \d+ of the key file/),
        });
        continue;
      }
      // A name may lose a letter, and is a name still.
      expect(config.kind === 'rsa' && config.keys.map(({ privateKeyPem }) => privateKeyPem)).toEqual([
        pemOf(one),
        pemOf(two),
      ]);
      expect(idsOf(text).filter((id) => ['new', 'old'].includes(id)).length).toBeGreaterThan(0);
      expect(idsOf(text)[0]).not.toBe('old');
      expect(idsOf(text)[1]).not.toBe('new');
    }
  });

  test('where a line is lost, or the rest', () => {
    for (const at of lines.keys()) {
      if (/^(#|$)/.test(lines[at] ?? '')) continue;
      expect(() => parseKeyFile(lines.toSpliced(at, 1).join('\n'))).toThrow(wrong(/line \d+/));
      expect(() => parseKeyFile(`${lines.slice(0, at).join('\n')}\n# key id: last`)).toThrow(
        wrong(/line \d+/),
      );
    }
  });

  test('where one sign of a key is another one', () => {
    // Behind the first lines of a PEM is the modulus.
    const at = 6;
    const other = lines.with(
      at,
      (lines[at] ?? '').replace(/^./, (sign) => (sign === 'A' ? 'B' : 'A')),
    );
    expect(() => parseKeyFile(other.join('\n'))).toThrow(wrong(/damaged/));
  });

  test('and no message holds anything of it', () => {
    const secrets = [...lines.filter((line) => line.length === 64), raw('k').slice(2, 30)];
    for (const text of [
      ...damages,
      ...lines.map((_, at) => lines.toSpliced(at, 1).join('\n')),
      `k:${secrets.at(-1)}`,
    ]) {
      try {
        parseKeyFile(text);
      } catch (error) {
        for (const secret of secrets) expect(String(error)).not.toContain(secret.slice(0, 12));
      }
    }
  });
});
