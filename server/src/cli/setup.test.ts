import { CustodyError } from '@flex-custody/core';
import type { FlexConfiguration, FlexConfigurationChange } from '@flex-custody/twilio';
import { buildProgram, run } from './program.ts';
import { parseChange, type SetupDeps, setup } from './setup.ts';

const functions = 'https://flex-custody-1234-dev.twil.io';
const host = 'https://custody.example.com';
const webhook = `${functions}/recording-status-callback?taskSid={taskSid}#rc=5&rp=all`;

type Held = Omit<FlexConfiguration, 'uiAttributesText'> & { text?: string };

/** As Twilio answers: the text is what it was sent, and the rest is of that text. */
const overTheWire = ({ text, ...one }: Held): FlexConfiguration => {
  const uiAttributesText = text ?? JSON.stringify(one.uiAttributes);
  return { ...one, uiAttributesText, uiAttributes: JSON.parse(uiAttributesText) };
};

function holding(start: Partial<Held> = {}) {
  let held: Held = {
    uiAttributes: { colorTheme: { baseName: 'dark' }, other_plugin: { on: true } },
    callRecordingEnabled: false,
    callRecordingWebhookUrl: undefined,
    ...start,
  };
  const set = {
    written: [] as FlexConfigurationChange[],
    printed: [] as string[],
    reads: 0,
    /** Runs before each reading, as another writer would. */
    beforeRead: undefined as ((reads: number) => void) | undefined,
    hold: (change: Partial<Held>) => {
      const { text: _written, ...rest } = held;
      held = { ...rest, ...change };
    },
    held: (): Held => {
      const { uiAttributesText: _, ...rest } = overTheWire(held);
      return rest;
    },
    text: () => overTheWire(held).uiAttributesText,
    deps: {} as SetupDeps,
  };
  set.deps = {
    twilio: {
      flexConfiguration: async () => {
        set.reads += 1;
        set.beforeRead?.(set.reads);
        return overTheWire(held);
      },
      updateFlexConfiguration: async (change) => {
        set.written.push(change);
        const { uiAttributesText: text, ...rest } = change;
        held = { ...held, ...rest, ...(text !== undefined && { text, uiAttributes: JSON.parse(text) }) };
      },
    },
    hostUrl: host,
    print: (text) => void set.printed.push(text),
    confirm: undefined,
  };
  return set;
}

test('a first setup names the difference, and touches nothing of others', async () => {
  const { deps, printed, held, written } = holding();
  expect(await setup(deps, { functionsUrl: functions, veridas: true, yes: true })).toBe(true);
  expect(printed[0]?.split('\n')).toEqual([
    `+ ui_attributes.flex_custody.functions_url: "${functions}"`,
    `+ ui_attributes.flex_custody.host_url: "${host}"`,
    '+ ui_attributes.flex_custody.veridas.enabled: true',
  ]);
  expect(held()).toEqual({
    uiAttributes: {
      colorTheme: { baseName: 'dark' },
      other_plugin: { on: true },
      flex_custody: { functions_url: functions, host_url: host, veridas: { enabled: true } },
    },
    callRecordingEnabled: false,
    callRecordingWebhookUrl: undefined,
  });
  expect(written).toHaveLength(1);
});

test("others' settings keep their text, to the character, and so do ours that nobody named", async () => {
  const text =
    '{ "crm_id":12345678901234567890,"amount" : 1.10,\n "flex_custody":{ "n":9007199254740993, "recording":{"x" : 1.0} },"n\\u0061me":"\\u00e9" }';
  const set = holding({ text });
  await setup(set.deps, { mode: 'ours', functionsUrl: functions, yes: true });
  expect(set.text()).toBe(
    text
      .replace('{"x" : 1.0}', '{"x" : 1.0,"mode" : "ours"}')
      .replace('"ours"} }', `"ours"}, "host_url":"${host}", "functions_url":"${functions}" }`),
  );
  expect(set.printed[0]).toContain('+ ui_attributes.flex_custody.recording.mode: "ours"');
});

test("another's change that parses to the same stops us too", async () => {
  const set = holding({ text: '{"crm_id":12345678901234567890}' });
  set.beforeRead = (reads) => reads === 2 && set.hold({ text: '{"crm_id":12345678901234567891}' });
  await expect(setup(set.deps, { functionsUrl: functions, yes: true })).rejects.toMatchObject({
    code: 'configuration_changed',
  });
  expect(set.written).toEqual([]);
});

test('an answer in another spacing and order is what was written', async () => {
  const set = holding({ text: '{ "b":1.0,"a":2 }' });
  set.beforeRead = (reads) => {
    const { flex_custody: ours } = set.held().uiAttributes;
    if (reads === 3) set.hold({ text: JSON.stringify({ a: 2, flex_custody: ours, b: 1 }) });
  };
  expect(await setup(set.deps, { functionsUrl: functions, yes: true })).toBe(true);
});

const ours = { functions_url: functions, host_url: host };
const withOurs = (more: object) => ({ uiAttributes: { other: 1, flex_custody: { ...ours, ...more } } });

test('what nobody named stays, with what is beside it', async () => {
  const { deps, held } = holding(
    withOurs({
      host_url: 'https://elsewhere.example.com',
      recording: { internal: true, mode: 'both' },
      ours: 'x',
    }),
  );
  await setup(deps, { mode: 'ours', set: parseChange('recording.rules=[{"verdict":"record"}]'), yes: true });
  expect(held().uiAttributes).toEqual({
    other: 1,
    flex_custody: {
      ...ours,
      host_url: 'https://elsewhere.example.com',
      ours: 'x',
      recording: { internal: true, mode: 'ours', rules: [{ verdict: 'record' }] },
    },
  });
});

test.each(['theirs', 'both'])('mode %s has Flex record, and tell our Function', async (mode) => {
  const { deps, printed, held } = holding({
    ...withOurs({}),
    callRecordingWebhookUrl: 'https://old.example/hook',
  });
  expect(await setup(deps, { mode, yes: true })).toBe(true);
  expect(held()).toMatchObject({ callRecordingEnabled: true, callRecordingWebhookUrl: webhook });
  expect(printed[0]?.split('\n')).toEqual([
    `+ ui_attributes.flex_custody.recording.mode: "${mode}"`,
    '- call_recording_enabled: false',
    '+ call_recording_enabled: true',
    '- call_recording_webhook_url: "https://old.example/hook"',
    `+ call_recording_webhook_url: "${webhook}"`,
    'note: The webhook that Flex called until now will no longer be called.',
  ]);
  printed.length = 0;
  expect(await setup(deps, {})).toBe(true);
  expect(printed).toEqual(['The Flex configuration is already correct.']);
});

test("mode ours leaves Flex's switch alone, and says what comes of it", async () => {
  const { deps, printed, held } = holding({ ...withOurs({}), callRecordingEnabled: true });
  expect(await setup(deps, { mode: 'ours', yes: true })).toBe(true);
  expect(printed[0]).toContain('recorded twice');
  expect(held().callRecordingEnabled).toBe(true);
});

test('a setting that would not be read is named, and nothing is written', async () => {
  const { deps, printed, written } = holding();
  const flags = {
    functionsUrl: 'http://plain.example',
    set: parseChange('recording.default="maybe"'),
    yes: true,
  };
  expect(await setup(deps, flags)).toBe(false);
  expect(printed[0]).toContain('fix: functions_url must be an https:// origin');
  expect(printed[0]).toContain('fix: recording.default must be "record", "never" or "on-demand"');
  expect(written).toEqual([]);
});

test('without an answer nothing is written', async () => {
  const { deps, written, printed } = holding();
  const flags = { functionsUrl: functions };
  expect(await setup(deps, flags)).toBe(false);
  expect(printed.at(-1)).toContain('--yes');
  const confirm = jest.fn(async () => false);
  expect(await setup({ ...deps, confirm }, flags)).toBe(false);
  expect(await setup({ ...deps, confirm }, { ...flags, dryRun: true })).toBe(true);
  expect(confirm).toHaveBeenCalledTimes(1);
  expect(written).toEqual([]);
  expect(await setup({ ...deps, confirm: async () => true }, flags)).toBe(true);
  expect(written).toHaveLength(1);
});

test('as JSON it asks nobody, and says whether it wrote', async () => {
  const { deps, printed } = holding();
  const confirm = async () => true;
  const flags = { functionsUrl: functions, json: true };
  expect(await setup({ ...deps, confirm }, flags)).toBe(false);
  await setup(deps, { ...flags, yes: true });
  expect(printed.map((text) => JSON.parse(text).written)).toEqual([false, true]);
  expect(JSON.parse(printed[0] ?? '')).toEqual({
    differences: [
      { path: 'ui_attributes.flex_custody.functions_url', after: functions },
      { path: 'ui_attributes.flex_custody.host_url', after: host },
    ],
    problems: [],
    notes: [],
    written: false,
  });
});

test('somebody who writes between our reading and writing stops us', async () => {
  const set = holding();
  set.beforeRead = (reads) => reads === 2 && set.hold({ uiAttributes: { other_plugin: { on: false } } });
  await expect(setup(set.deps, { functionsUrl: functions, yes: true })).rejects.toMatchObject({
    code: 'configuration_changed',
  });
  expect(set.written).toEqual([]);
});

test('what does not read back as it was written is no success', async () => {
  const set = holding();
  set.beforeRead = (reads) => reads === 3 && set.hold({ uiAttributes: {} });
  await expect(setup(set.deps, { functionsUrl: functions, yes: true })).rejects.toMatchObject({
    code: 'setup_unverified',
  });
});

test('what is no object is not replaced by one', async () => {
  const { deps, written } = holding(withOurs({ recording: 'all of it' }));
  await expect(setup(deps, { mode: 'ours', yes: true })).rejects.toMatchObject({
    code: 'settings_unreadable',
    message: expect.stringContaining('flex_custody.recording is not an object'),
  });
  const wishes = parseChange('recording.mode="ours"', parseChange('recording="all of it"'));
  await expect(setup(holding().deps, { set: wishes, yes: true })).rejects.toMatchObject({
    code: 'settings_unreadable',
  });
  expect(written).toEqual([]);
});

test('an account without Flex', async () => {
  const { deps } = holding();
  const twilio = { ...deps.twilio, flexConfiguration: async () => undefined };
  await expect(setup({ ...deps, twilio }, {})).rejects.toBeInstanceOf(CustodyError);
});

test('--set takes a path and JSON, as often as wished; null takes away', async () => {
  const wishes = parseChange('veridas.config.x=1', parseChange('recording.internal=null'));
  expect(wishes).toEqual([
    ['recording.internal', null],
    ['veridas.config.x', 1],
  ]);
  const { deps, held } = holding(withOurs({ recording: { internal: true, mode: 'ours' } }));
  await setup(deps, { set: wishes, yes: true });
  expect(held().uiAttributes['flex_custody']).toMatchObject({
    recording: { mode: 'ours' },
    veridas: { config: { x: 1 } },
  });
  for (const wrong of ['recording', '=1', 'a..b=1', '__proto__.x=1', 'a=text'])
    expect(() => parseChange(wrong)).toThrow();
});

test('a wrong call is told apart from a failure', async () => {
  const quiet = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const program = buildProgram({ version: '1', serve: async () => undefined, more: [] });
  expect(await run(program, ['node', 'flex-custody', 'setup', '--mode', 'mine'])).toBe(2);
  quiet.mockRestore();
});
