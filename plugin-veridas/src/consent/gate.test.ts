import { type Consent, type GateDeps, standing, write } from './gate';
import { consentMemory } from './memory';
import { type ConsentDecision, consentReport, type Decided, type ReportFailure } from './report';

const taskSid = `WT${'1'.repeat(32)}`;
const reportOf = (decision: ConsentDecision) =>
  consentReport(
    { decision, taskSid, callSid: `CA${'1'.repeat(32)}`, reservationSid: undefined } as Decided,
    '6f1c1f0e-5a4b-4c3d-8e2f-1a2b3c4d5e6f',
    1_795_000_000_000,
  );

function gate(failure?: ReportFailure) {
  const kept = new Map<string, string>();
  const shown: Consent['kind'][] = [];
  /** What a reload would find at the moment the host is asked. */
  const atSend: (string | undefined)[] = [];
  const memory = consentMemory(() => ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  }));
  const deps: GateDeps = {
    consentNeeded: true,
    memory,
    async send() {
      atSend.push(memory.recall(taskSid));
      return failure;
    },
  };
  const decide = (decision: ConsentDecision) =>
    write(reportOf(decision), deps, ({ kind }) => void shown.push(kind));
  return { deps, shown, atSend, decide };
}

it('lets consent count only when it is written', async () => {
  const { deps, shown, atSend, decide } = gate();
  expect(standing(deps, taskSid)).toEqual({ kind: 'asking' });
  await decide('given');
  expect(shown).toEqual(['writing', 'given']);
  expect(atSend).toEqual([undefined]);
  expect(standing(deps, taskSid)).toEqual({ kind: 'given' });
});

it('gives nothing where it cannot be written, also not to a reload', async () => {
  const { deps, shown, decide } = gate('unreachable');
  await decide('given');
  expect(shown).toEqual(['writing', 'unwritten']);
  expect(standing(deps, taskSid)).toEqual({ kind: 'asking' });
});

it.each(['refused', 'withdrawn'] as const)('hears at once who has %s, written or not', async (decision) => {
  const { deps, shown, atSend, decide } = gate('host-failed');
  deps.memory.remember(taskSid, 'given');
  await decide(decision);
  expect(atSend).toEqual(['refused']);
  expect(shown).toEqual(['writing', 'unwritten']);
  expect(standing(deps, taskSid)).toEqual({ kind: 'refused' });
});

it('shows a written refusal as one', async () => {
  const { shown, decide } = gate();
  await decide('withdrawn');
  expect(shown).toEqual(['writing', 'refused']);
});

it('asks nobody where consent is not needed', () => {
  expect(standing({ ...gate().deps, consentNeeded: false }, taskSid)).toEqual({ kind: 'not-needed' });
});
