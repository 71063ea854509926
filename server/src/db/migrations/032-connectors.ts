export const connectors = `
-- What all processes together may ask of another system, by the class of its limit.
CREATE TABLE request_budgets (
  name text PRIMARY KEY,
  -- When the next request of the class is due; after a rest some may begin before (connectors/turns.ts).
  next_at timestamptz NOT NULL DEFAULT now(),
  -- Requests in a window, and milliseconds between two of them, as the system's answers last stated it; null before.
  limit_of_window double precision,
  interval_ms double precision,
  -- So many may begin until then; null where the system states more than we would send.
  remaining integer,
  resets_at timestamptz,
  -- No request of this class begins before.
  paused_until timestamptz
);

-- Contacts that have changed and that no connector has looked at since. Written by the triggers below only while the mark 'connectors' is there.
CREATE TABLE connector_changes (
  contact bigint PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);

-- People, by the strongest identifier that a mapping finds.
CREATE TABLE connector_customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connector text NOT NULL,
  -- SHA-256 of the kind and value of the identifier, keyed with the host's secret.
  digest text COLLATE "C" NOT NULL,
  -- {"identifiers"} as the mapping last made them. Once all interactions are erased they stay until the other system has forgotten the customer.
  wanted jsonb,
  -- Grows with each change of wanted; the connector has sent what sent_version says.
  version bigint NOT NULL DEFAULT 1,
  sent_version bigint NOT NULL DEFAULT 0,
  -- SHA-256 of the contact that was last sent.
  sent_hash text,
  -- While a process sends the contact and its effects: by which claim, and until when no other process takes it.
  claim uuid,
  claimed_until timestamptz,
  -- The other system's own number of the contact, and the names of the attributes and lists that we wrote there.
  remote_id text,
  remote_names jsonb,
  -- waiting, sent, failed, dropped; forget: all interactions are erased, and the other system has to forget the customer.
  state text NOT NULL DEFAULT 'waiting',
  due_at timestamptz NOT NULL DEFAULT now(),
  attempts integer NOT NULL DEFAULT 0,
  error jsonb,
  erased_at timestamptz,
  UNIQUE (connector, digest)
);

CREATE TABLE connector_interactions (
  custody_id uuid PRIMARY KEY,
  connector text NOT NULL,
  -- Null once the contact is gone, or became one with another. An erasure removes the row.
  contact bigint,
  customer bigint,
  -- The interaction that it became one with: its effects count as those of that one.
  merged_into uuid,
  -- As it was last computed (connectors/interaction.ts).
  interaction jsonb,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  channel text NOT NULL,
  -- SIDs of its tasks and of its conversation.
  sids text[] NOT NULL DEFAULT '{}',
  -- Its conversation's messages, as Twilio last counted them, and when it is to be asked.
  messages integer,
  ask_messages_at timestamptz,
  -- The first time.
  looked_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (connector, contact)
);

-- One row for each event that the other system is to have, once.
CREATE TABLE connector_effects (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connector text NOT NULL,
  custody_id uuid NOT NULL,
  -- Of connectors/interaction.ts.
  trigger text NOT NULL,
  customer bigint,
  -- waiting, sending, uncertain, sent, dropped, failed.
  state text NOT NULL DEFAULT 'waiting',
  -- Of an import of the past: it may go in a batch.
  is_history boolean NOT NULL DEFAULT false,
  happened_at timestamptz NOT NULL,
  -- Late events move due_at, up to a limit after this.
  planned_at timestamptz NOT NULL DEFAULT now(),
  due_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  -- While it is being sent: by which try, and until when that try may last.
  try uuid,
  try_until timestamptz,
  -- Of what was sent: the event's name, its time there, and the remote contact.
  event_name text,
  event_at timestamptz,
  remote_id text,
  looked_up integer NOT NULL DEFAULT 0,
  sent_at timestamptz,
  error jsonb,
  UNIQUE (connector, custody_id, trigger)
);

-- How far an import of the past has come, by resource.
CREATE TABLE connector_checkpoints (
  connector text NOT NULL,
  resource text NOT NULL,
  place jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connector, resource)
);

-- Such as when the plugin's listener was last there, or why the whole outbox is paused.
CREATE TABLE connector_notes (
  connector text NOT NULL,
  name text NOT NULL,
  note jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connector, name)
);

-- What an agent did on a day, in seconds or counts; a day is one of UTC.
CREATE TABLE connector_agent_days (
  day date NOT NULL,
  worker text COLLATE "C" NOT NULL,
  measure text NOT NULL,
  value double precision NOT NULL,
  PRIMARY KEY (day, worker, measure)
);

-- Digests of the numbers of its customer, as its events state them: how an erasure by caller finds a session without a recording.
ALTER TABLE contacts ADD COLUMN callers text[] NOT NULL DEFAULT '{}';

CREATE FUNCTION note_contact_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO connector_changes (contact)
  SELECT CASE TG_OP WHEN 'DELETE' THEN OLD.number ELSE NEW.number END
  WHERE EXISTS (SELECT FROM marks WHERE name = 'connectors')
  ON CONFLICT (contact) DO UPDATE SET at = now();
  RETURN NULL;
END $$;
CREATE TRIGGER contacts_added AFTER INSERT OR DELETE ON contacts
  FOR EACH ROW EXECUTE FUNCTION note_contact_change();
-- Whenever events came, also if only a task's attributes have changed, which the contact does not have.
CREATE TRIGGER contacts_changed AFTER UPDATE OF contact ON contacts
  FOR EACH ROW EXECUTE FUNCTION note_contact_change();
`;
