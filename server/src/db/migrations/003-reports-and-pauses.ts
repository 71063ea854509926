export const reportsAndPauses = `
CREATE TABLE reports (
  -- Made by whoever reports: the same report, told twice or by two, counts once.
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('paused', 'resumed', 'not-recorded', 'double-recording', 'consent')),
  at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  task_sid text NOT NULL,
  reservation_sid text,
  worker_sid text,
  conference_sid text,
  details jsonb NOT NULL DEFAULT '{}',
  by text NOT NULL CHECK (by IN ('function', 'browser'))
);
CREATE INDEX reports_by_task ON reports (task_sid, at);
CREATE TABLE pauses (
  conference_sid text PRIMARY KEY,
  task_sid text NOT NULL,
  -- When the newest report of it happened; an older one that comes late changes nothing.
  last_at timestamptz NOT NULL,
  -- Null: only the wrap-up ends it.
  due_at timestamptz,
  due_by text NOT NULL DEFAULT 'timer' CHECK (due_by IN ('timer', 'function', 'browser')),
  -- Those known to be paused: what else is found in the conference came later.
  recordings text[] NOT NULL DEFAULT '{}',
  ended_at timestamptz,
  ended_by text CHECK (ended_by IN ('function', 'browser', 'timer', 'wrap-up', 'over')),
  CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX pauses_open ON pauses (last_at) WHERE ended_at IS NULL;
ALTER TABLE audit DROP CONSTRAINT audit_action_check,
  ADD CONSTRAINT audit_action_check CHECK (action IN ('play', 'segment-link', 'voice-consent'));
`;
