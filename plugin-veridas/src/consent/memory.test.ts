import { consentMemory } from './memory';

it('remembers the last answer of a task, and of that one only', () => {
  const kept = new Map<string, string>();
  const memory = consentMemory(() => ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  }));
  expect(memory.recall('WT1')).toBeUndefined();
  memory.remember('WT1', 'given');
  expect(memory.recall('WT1')).toBe('given');
  expect(memory.recall('WT2')).toBeUndefined();
  memory.remember('WT1', 'refused');
  expect(memory.recall('WT1')).toBe('refused');
  expect([...kept]).toEqual([['flex-custody.voice-consent.WT1', 'refused']]);
});

it('takes nothing else for an answer', () => {
  const memory = consentMemory(() => ({ getItem: () => 'yes', setItem: () => {} }));
  expect(memory.recall('WT1')).toBeUndefined();
});

it('asks again where the browser keeps nothing', () => {
  const memory = consentMemory(() => {
    throw new Error('SecurityError');
  });
  memory.remember('WT1', 'given');
  expect(memory.recall('WT1')).toBeUndefined();
});
