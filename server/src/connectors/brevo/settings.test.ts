import { brevoLimits } from './limits.ts';
import { settingsOf } from './settings.ts';
import { configOf } from './testing/mapping-of.ts';

const usual = settingsOf(configOf());

test('without keys the settings are those that the page states', () => {
  expect(usual).toEqual({
    following: { settleSeconds: 60, agentActivity: true },
    crm: { collisions: 'drop-identifier', createAttributes: false, resendAfterMs: 3_600_000 },
    erase: 'attributes',
    limits: brevoLimits('general', 1),
    rates: { flex: 100, conversations: 100, taskRouter: 30, taskEvents: 20, searches: 3 },
  });
});

const { crm, following, rates } = usual;
test.each<[given: object, changed: Partial<typeof usual>]>([
  [{ settle_seconds: 5 }, { following: { ...following, settleSeconds: 5 } }],
  [{ sync: { agent_activity: false } }, { following: { ...following, agentActivity: false } }],
  [
    { csat: { measure: 'survey.score', scale: 10 } },
    { following: { ...following, csat: { path: 'survey.score', scale: 10 } } },
  ],
  [{ collisions: 'merge' }, { crm: { ...crm, collisions: 'merge' } }],
  [{ create_attributes: true }, { crm: { ...crm, createAttributes: true } }],
  [{ resend_uncertain_after: 0.5 }, { crm: { ...crm, resendAfterMs: 30_000 } }],
  [{ plan: 'extended' }, { limits: brevoLimits('extended', 1) }],
  [{ plan_factor: 3 }, { limits: brevoLimits('general', 3) }],
  [{ erase: 'contact' }, { erase: 'contact' }],
  [{ limits: { flex: 1 } }, { rates: { ...rates, flex: 1 } }],
  [{ limits: { conversations: 2 } }, { rates: { ...rates, conversations: 2 } }],
  [{ limits: { taskrouter: 4 } }, { rates: { ...rates, taskRouter: 4 } }],
  [{ limits: { events: 5 } }, { rates: { ...rates, taskEvents: 5 } }],
  [{ limits: { searches: 6 } }, { rates: { ...rates, searches: 6 } }],
])('%j changes its setting alone', (given, changed) => {
  expect(settingsOf(configOf(given))).toEqual({ ...usual, ...changed });
});
