export const custody = `
CREATE TABLE custody (
  -- One row at most: a database belongs to one custody.
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  account_sid text NOT NULL,
  bucket text NOT NULL,
  storage_mode text NOT NULL,
  -- From here on ids and fingerprints: no secret can be read out of them.
  signing_keys text[] NOT NULL DEFAULT '{}',
  caller_secret text,
  recording_keys text[] NOT NULL DEFAULT '{}',
  bound_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- The program has the list of actions: a list here would have to be replaced by each release that adds one.
ALTER TABLE audit DROP CONSTRAINT audit_action_check,
  ADD CONSTRAINT audit_action_check CHECK (action ~ '^[a-z]+(-[a-z]+)*$');
`;
