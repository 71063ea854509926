export const sessions = `
-- How far the sessions have read the inbox. The row's lock makes one process at a time do so.
CREATE TABLE session_place (
  is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  position text
);
INSERT INTO session_place DEFAULT VALUES;

CREATE SEQUENCE contact_numbers;

CREATE TABLE contacts (
  number bigint PRIMARY KEY,
  -- Of its first task, conversation, call or conference; it changes while events arrive late.
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  opened_at timestamptz NOT NULL,
  -- Null while it is open.
  closed_at timestamptz,
  -- As it was last computed from its events.
  contact jsonb NOT NULL,
  -- A long call: the policy closed its tracking while it lasted.
  tracking_closed_at timestamptz,
  -- A call below the minimum length: seconds from its connection to its close.
  short_seconds double precision,
  -- The tick that found it closed.
  shown_at timestamptz
);

-- Each SID or conversation of a contact.
CREATE TABLE contact_keys (
  key text COLLATE "C" PRIMARY KEY,
  contact bigint NOT NULL
);

-- Each event of a contact, by its CloudEvents id.
CREATE TABLE contact_events (
  contact bigint NOT NULL,
  event text COLLATE "C" NOT NULL,
  PRIMARY KEY (contact, event)
);

-- What a policy has reported of a contact.
CREATE TABLE contact_reports (
  contact bigint NOT NULL,
  -- long_call or long_hold, as the alarm's code.
  code text NOT NULL,
  -- Of the call, or of the single hold.
  since timestamptz NOT NULL,
  -- The alarm's subject.
  subject text NOT NULL,
  resolved boolean NOT NULL DEFAULT false,
  PRIMARY KEY (contact, code, since)
);
`;
