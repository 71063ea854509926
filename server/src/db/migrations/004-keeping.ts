export const keeping = `
ALTER TABLE recordings
  ADD COLUMN sidecar jsonb,
  ADD COLUMN source_deleted_at timestamptz,
  ADD COLUMN queue text,
  ADD COLUMN direction text CHECK (direction IN ('inbound', 'outbound', 'internal')),
  -- A keyed digest: the number itself is nowhere.
  ADD COLUMN caller text,
  -- What went of it so far, once it is being erased.
  ADD COLUMN erasure jsonb,
  ADD COLUMN erased_at timestamptz,
  ADD COLUMN certificate uuid,
  DROP CONSTRAINT recordings_state_check,
  ADD CONSTRAINT recordings_state_check
    CHECK (state IN ('registered', 'copying', 'sealed', 'verified', 'failed', 'absent', 'erased')),
  ADD COLUMN source_encrypted boolean NOT NULL DEFAULT false,
  -- How often somebody began to copy it: more than once, and there may be more than one copy.
  ADD COLUMN leases integer NOT NULL DEFAULT 0;
CREATE INDEX recordings_by_task ON recordings (task_sid, started_at);
CREATE INDEX recordings_by_caller ON recordings (caller) WHERE caller IS NOT NULL;
CREATE TABLE certificates (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL CHECK (reason IN ('erasure', 'retention')),
  recordings integer NOT NULL,
  jws text NOT NULL
);
CREATE TABLE uploads (
  recording_sid text PRIMARY KEY REFERENCES recordings ON DELETE CASCADE,
  -- Who wrote it last, by their lease on the recording: only the holder of the present one may write.
  lease text NOT NULL,
  state jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE runs (
  name text PRIMARY KEY,
  options jsonb NOT NULL,
  -- Where it goes on after an end that was none.
  state jsonb,
  counts jsonb NOT NULL DEFAULT '{}',
  total integer,
  holder uuid,
  held_until timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  failure text
);
`;
