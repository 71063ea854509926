import { PassThrough } from 'node:stream';
import { until } from '../../../test/support/until.ts';
import { askHidden } from './ask-hidden.ts';

/** A terminal on which somebody types, with all that it shows. */
function terminal() {
  let shown = '';
  let isRaw = false;
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(raw: boolean) {
      isRaw = raw;
      return input;
    },
  });
  return {
    input,
    output: {
      write(text: string) {
        shown += text;
      },
    },
    shown: () => shown,
    isRaw: () => isRaw,
    /** Once the question is there. */
    async type(question: string, keys: string) {
      await until(() => shown.endsWith(question));
      input.write(keys);
    },
  };
}

test('asks in turn, shows nothing of what is typed, and turns the echo on again', async () => {
  const at = terminal();
  const asking = askHidden(['One: ', 'Two: '], at);
  await until(() => at.isRaw());
  await at.type('One: ', 'hush-hush\r');
  await at.type('Two: ', 'husx\u007fh\r');
  expect(await asking).toEqual(['hush-hush', 'hush']);
  expect(at.shown()).toBe('One: \nTwo: \n');
  expect(at.isRaw()).toBe(false);
});

test.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
])('%s ends it', async (_key, keys) => {
  const at = terminal();
  const asking = askHidden(['One: '], at);
  await at.type('One: ', keys);
  await expect(asking).rejects.toMatchObject({ code: 'interrupted' });
  expect(at.isRaw()).toBe(false);
});
