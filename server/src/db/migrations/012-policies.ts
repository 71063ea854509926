export const policies = `
CREATE TABLE policies (
  id bigserial PRIMARY KEY,
  account_sid text NOT NULL,
  -- The file as it was applied; it may name callers.
  body text NOT NULL,
  digest text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  applied_by text NOT NULL
);
CREATE INDEX policies_in_force ON policies (account_sid, id DESC);
`;
