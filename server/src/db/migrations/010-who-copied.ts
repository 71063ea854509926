export const whoCopied = `
ALTER TABLE recordings
  -- Who wrote the object; null: nobody noted it, so it is trusted as little as a Function's.
  ADD COLUMN copied_by text CHECK (copied_by IN ('host', 'function', 'import', 'adopted')),
  -- A copy of it was bad: no Function copies it again.
  ADD COLUMN host_only boolean NOT NULL DEFAULT false,
  -- When its copy could not be proven; null: nobody has tried, or it is proven.
  ADD COLUMN proof_tried_at timestamptz;
ALTER TABLE audit
  -- What was known of the audio that was played.
  ADD COLUMN custody text CHECK (custody IN ('proven', 'verified', 'unverified', 'twilio'));
`;
