export const recordings = `
CREATE TABLE recordings (
  recording_sid text PRIMARY KEY,
  account_sid text NOT NULL,
  call_sid text,
  conference_sid text,
  task_sid text,
  reservation_sid text,
  worker_sid text,
  channels smallint NOT NULL CHECK (channels IN (1, 2)),
  duration_seconds double precision,
  started_at timestamptz NOT NULL,
  source text NOT NULL,
  hints jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'registered'
    CHECK (state IN ('registered', 'copying', 'sealed', 'verified', 'failed', 'absent')),
  link_state text NOT NULL DEFAULT 'pending' CHECK (link_state IN ('pending', 'linked', 'unlinked', 'refused')),
  link_reason text,
  lease text,
  lease_holder text,
  lease_until timestamptz,
  object jsonb,
  verified_at timestamptz,
  segment_generation integer NOT NULL DEFAULT 0,
  failure text,
  attempts integer NOT NULL DEFAULT 0,
  forwarded_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  -- A lease without its end would never lapse, and a copy without its object could not be played.
  CHECK ((lease IS NULL) = (lease_until IS NULL)),
  CHECK (state NOT IN ('sealed', 'verified') OR object IS NOT NULL)
);
CREATE INDEX recordings_by_start ON recordings (started_at DESC, recording_sid DESC);
CREATE INDEX recordings_by_state ON recordings (state, updated_at);
CREATE INDEX recordings_by_link ON recordings (link_state, updated_at);
CREATE INDEX recordings_by_reservation ON recordings (reservation_sid, started_at);
CREATE TABLE copy_rates (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), rate double precision NOT NULL);
CREATE TABLE alarms (
  code text NOT NULL,
  -- Empty, not null, where an alarm is about no recording: nulls would not be duplicates of each other.
  recording_sid text NOT NULL DEFAULT '',
  detail text NOT NULL,
  times integer NOT NULL DEFAULT 1,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (code, recording_sid)
);
CREATE TABLE audit (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  viewer text NOT NULL,
  worker_sid text,
  roles text[],
  action text NOT NULL CHECK (action IN ('play', 'segment-link')),
  recording_sid text NOT NULL,
  allowed boolean NOT NULL,
  reason text NOT NULL,
  request_id text
);
CREATE INDEX audit_by_recording ON audit (recording_sid, at);
`;
