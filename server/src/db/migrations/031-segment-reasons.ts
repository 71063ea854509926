export const segmentReasons = `
-- Why an agent's segment has no recording, as an operator said.
CREATE TABLE segment_reasons (
  reservation_sid text COLLATE "C" PRIMARY KEY,
  task_sid text COLLATE "C",
  -- Of its contact, which belongs to the day in which it opened.
  opened_at timestamptz NOT NULL,
  -- A code of recorder/completeness/reasons.ts.
  reason text NOT NULL,
  comment text,
  explained_by text NOT NULL,
  explained_at timestamptz NOT NULL DEFAULT now()
);

-- When Twilio was asked for recordings that the segments of a closed contact lack; null before.
ALTER TABLE contacts ADD COLUMN recovered_at timestamptz;

-- The newest statement of completeness of each day.
CREATE TABLE completeness_statements (
  account_sid text NOT NULL,
  day text NOT NULL,
  -- From 1. A number that was taken is not used again, so a statement is never overwritten.
  version integer NOT NULL,
  -- SHA-256 of the ledger that was written last; null while the first one is being written.
  digest text,
  PRIMARY KEY (account_sid, day)
);
`;
