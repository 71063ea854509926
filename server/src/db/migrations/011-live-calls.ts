export const liveCalls = `
CREATE TABLE live_calls (
  conference_sid text PRIMARY KEY,
  account_sid text NOT NULL,
  task_sid text,
  legs text[] NOT NULL DEFAULT '{}',
  customer_call_sid text,
  direction text CHECK (direction IN ('inbound', 'outbound', 'internal')),
  -- Keyed digests: the numbers themselves are nowhere.
  caller text,
  others text[] NOT NULL DEFAULT '{}',
  -- When a worker's leg was first seen in it.
  agent_at timestamptz,
  began_at timestamptz NOT NULL DEFAULT now(),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  read_at timestamptz,
  ended_at timestamptz,
  recorded_at timestamptz,
  alarmed_at timestamptz,
  excused_at timestamptz
);
CREATE INDEX live_calls_open ON live_calls (began_at) WHERE ended_at IS NULL;
CREATE INDEX live_calls_unrecorded ON live_calls (alarmed_at) WHERE alarmed_at IS NOT NULL AND recorded_at IS NULL;
CREATE INDEX live_calls_by_task ON live_calls (task_sid);
CREATE INDEX live_calls_by_leg ON live_calls USING gin (legs);
CREATE INDEX recordings_by_call ON recordings (call_sid);
CREATE INDEX recordings_by_conference ON recordings (conference_sid) WHERE conference_sid IS NOT NULL;
`;
