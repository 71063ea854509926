export const shardLeases = `
-- Each shard of a stream: who reads it, and how far it is read. All times are the database's.
CREATE TABLE shard_leases (
  -- <region>/<name>
  stream text NOT NULL,
  shard text NOT NULL,
  parents text[] NOT NULL,
  -- Tells the shard from one of the same name, in a stream that was deleted and created again.
  first_sequence text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'drained')),
  -- Where reading begins without a checkpoint; null: with the oldest record.
  begin_at timestamptz,
  owner text,
  -- One more at each change of the owner: an owner of before writes nothing any more.
  counter bigint NOT NULL DEFAULT 0,
  expires_at timestamptz,
  taken_at timestamptz,
  -- The sequence number of the last record that is stored.
  checkpoint text,
  checkpoint_at timestamptz,
  -- The last successful read, also of no records.
  read_at timestamptz,
  -- Every record that arrived before is stored.
  read_to timestamptz,
  behind_ms bigint,
  -- The last read that had records.
  event_at timestamptz,
  per_second double precision NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, shard)
);
-- Processes that read a stream, also those which have no shard at the moment.
CREATE TABLE stream_readers (
  stream text NOT NULL,
  owner text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (stream, owner)
);
`;
