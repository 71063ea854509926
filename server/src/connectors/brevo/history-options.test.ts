import { withinFile } from './history-options.ts';
import { configOf } from './testing/mapping-of.ts';

const options = { connector: 'brevo', type: 'incremental' };

test('an import has the resources and channels of the file', () => {
  expect(withinFile(options, configOf())).toEqual({ ...options, resources: ['tasks', 'conversations'] });
  expect(withinFile(options, configOf({ channels: ['sms', 'voice'], sync: { tasks: false } }))).toEqual({
    ...options,
    resources: ['conversations'],
    channels: ['sms', 'voice'],
  });
});

test('what the command says counts before the file, but for what the file does not send', () => {
  const asked = { ...options, resources: ['conversations', 'tasks'], channels: ['whatsapp'] };
  expect(withinFile(asked, configOf({ channels: ['sms'], sync: { conversations: false } }))).toEqual({
    ...asked,
    resources: ['tasks'],
  });
});

test('nothing to read is a fault that names its keys', () => {
  const off = configOf({ sync: { tasks: false, conversations: false } });
  expect(() => withinFile(options, off)).toThrow('sync.tasks and sync.conversations');
  expect(() => withinFile({ ...options, resources: ['tasks'] }, off)).toThrow(/^sync.tasks is false/);
});
