export const inbox = `
-- Agents' events, each once. All writers hold one lock until they commit, so that the order of seq is the order of commits.
CREATE TABLE agent_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Of the CloudEvent, an opaque text.
  id text COLLATE "C" NOT NULL UNIQUE,
  type text NOT NULL,
  -- When it happened, and which part of the event says so: payload, envelope, or received for neither.
  at timestamptz NOT NULL,
  at_from text NOT NULL,
  -- TaskRouter's SID of the event (EV…).
  event_sid text COLLATE "C" UNIQUE,
  -- Type, resource and milliseconds of TaskRouter's event: names the same event where one of two has no SID.
  same_as text COLLATE "C",
  -- Of tasks, reservations, calls, conferences and recordings, wherever the event names them.
  sids text[] NOT NULL,
  data jsonb NOT NULL,
  source text NOT NULL,
  shard text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- What could not be taken in, or not yet; the same record of one shard is one row.
CREATE TABLE events_set_aside (
  key text COLLATE "C" PRIMARY KEY,
  reason text NOT NULL,
  type text,
  -- Null where the reason forbids to keep it.
  raw text,
  sids text[] NOT NULL,
  source text NOT NULL,
  shard text NOT NULL,
  count bigint NOT NULL,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at timestamptz NOT NULL DEFAULT now()
);

-- Written with the events that they count: read = stored + duplicate + set_aside.
CREATE TABLE event_counters (
  source text NOT NULL,
  shard text NOT NULL,
  read bigint NOT NULL,
  stored bigint NOT NULL,
  duplicate bigint NOT NULL,
  set_aside bigint NOT NULL,
  last_received_at timestamptz NOT NULL,
  last_event_at timestamptz,
  PRIMARY KEY (source, shard)
);

-- Digests of the SIDs of erased calls, so that their events are not taken in again.
CREATE TABLE erased_sids (
  digest text COLLATE "C" PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);
`;
