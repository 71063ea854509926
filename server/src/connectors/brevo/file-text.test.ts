import { readBrevoFile } from './config/file.ts';
import { brevoFileText } from './file-text.ts';

const accountSid = `AC${'1'.repeat(32)}`;

test.each([
  [{ consent: 'all' }, 'all'],
  [{ consent: 'customer.marketing_consent' }, { attribute: 'customer.marketing_consent' }],
  [{ consent: 'all', flexFlowSid: `FO${'2'.repeat(32)}` }, 'all'],
])('a new file of %j loads', (choices, consent) => {
  const read = readBrevoFile(brevoFileText({ accountSid, ...choices }), accountSid);
  expect(read).toMatchObject({ config: { enabled: true, account_sid: accountSid, consent } });
  if ('flexFlowSid' in choices)
    expect(read).toMatchObject({ config: { flex_flow_sid: choices.flexFlowSid } });
});

test('what it has as comments loads too', () => {
  const text = brevoFileText({ accountSid, consent: 'all' })
    .replace(/^# (?=(lists|csat|field_mapping|event_mapping):| {2})/gm, '')
    .replace(/^#.*$/gm, '');
  expect(text).toContain('\n  support_contacts: 3');
  expect(readBrevoFile(text, accountSid)).toMatchObject({
    config: { lists: { support_contacts: 3 }, csat: { scale: 5 } },
  });
});
