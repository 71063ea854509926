export const inventoryKeys = `
-- The keys of the bucket as the last inventory of S3 lists them. Not logged: a crash empties it, and it is read again.
CREATE UNLOGGED TABLE inventory_keys (
  -- Of one reading of an inventory: rows of another reading are not seen by it.
  load integer NOT NULL,
  recording_sid text COLLATE "C" NOT NULL,
  -- The recording's sidecar; otherwise its object.
  sidecar boolean NOT NULL,
  etag text NOT NULL,
  last_modified timestamptz NOT NULL,
  PRIMARY KEY (load, recording_sid, sidecar)
);
`;
