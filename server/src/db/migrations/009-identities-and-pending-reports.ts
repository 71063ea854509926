export const identitiesAndPendingReports = `
CREATE TABLE identities (
  worker_sid text PRIMARY KEY,
  -- As Twilio's IAM stated it for a valid token.
  identity text NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identities_by_identity ON identities (identity);
CREATE TABLE pending_reports (
  id uuid PRIMARY KEY,
  -- Text, not JSON: the token is sealed to these characters.
  report text NOT NULL,
  token bytea NOT NULL,
  request_id text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reports_by_conference ON reports (conference_sid, at) WHERE kind = 'consent';
`;
