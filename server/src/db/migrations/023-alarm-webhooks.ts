export const alarmWebhooks = `
-- Both columns are set when an alarm is opened, and only while the mark 'alarm-webhook' is there: what was opened before is
-- never sent.
ALTER TABLE alarms
  -- Names this opening of the alarm to the receiver; null: nothing of it is to be sent any more.
  ADD COLUMN webhook_id uuid,
  -- When it was opened, until a job has the webhook of that; null: a job has it.
  ADD COLUMN webhook_opened_at timestamptz;
`;
