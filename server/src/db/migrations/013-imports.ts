export const imports = `
CREATE TABLE imports (
  recording_sid text PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
  -- The very object of an older bucket that was sealed: nothing else of this recording's name is it.
  bucket text NOT NULL,
  key text NOT NULL,
  version_id text,
  etag text NOT NULL,
  -- Of its bytes, as they were read.
  sha256 text NOT NULL,
  imported_at timestamptz NOT NULL DEFAULT now()
);
`;
