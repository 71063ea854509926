export const shortCalls = `
-- A constraint without a look at the rows that are there.
ALTER TABLE certificates DROP CONSTRAINT certificates_reason_check,
  ADD CONSTRAINT certificates_reason_check CHECK (reason IN ('erasure', 'retention', 'short-session')) NOT VALID;

ALTER TABLE contacts
  -- Of the recordings whose audio was deleted since the call was short.
  ADD COLUMN short_certificates uuid[] NOT NULL DEFAULT '{}',
  -- Why a short call keeps its audio, when it was last looked at.
  ADD COLUMN short_kept text,
  -- When a short call is looked at again.
  ADD COLUMN short_look_at timestamptz NOT NULL DEFAULT '-infinity';
`;
