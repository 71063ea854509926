export const secrets = `
-- Secrets of the host, each sealed under a key that the database does not have.
CREATE TABLE secrets (
  name text COLLATE "C" PRIMARY KEY,
  -- Base64 of a message of the AWS Encryption SDK, bound to the account and to this name.
  sealed text NOT NULL,
  -- The key that sealed it.
  key_id text NOT NULL,
  -- How often a value was set under this name.
  version integer NOT NULL,
  set_at timestamptz NOT NULL DEFAULT now(),
  -- Who set it: cli, or an identity of Flex.
  set_by text NOT NULL
);
`;
