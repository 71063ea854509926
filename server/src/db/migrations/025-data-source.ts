export const dataSource = `
-- Only ever appended to; the newest one is current.
CREATE TABLE data_source_versions (
  version int PRIMARY KEY CHECK (version > 0),
  -- Without secrets.
  settings jsonb NOT NULL,
  set_at timestamptz NOT NULL DEFAULT now(),
  set_by text NOT NULL,
  comment text
);
`;
