export const resumedRuns = `
ALTER TABLE runs
  -- The last save: a cursor goes out of date with it.
  ADD COLUMN saved_at timestamptz,
  -- Of a run that went on with an earlier one: when that one began, and its last save.
  ADD COLUMN resumed_from timestamptz,
  ADD COLUMN stopped_at timestamptz;
-- Digests of callers get the id of the secret that the database is bound to. Where another secret was bound before, or a
-- lost catalog was rebuilt, older rows may be by another one: they stay as they are, and are of nobody known.
CREATE TEMPORARY TABLE caller_secret_now ON COMMIT DROP AS
  SELECT account_sid, 'k' || left(caller_secret, 8) || ':' AS prefix, greatest(
    (SELECT max(at) FROM audit WHERE action = 'adopt-database' AND reason LIKE '%caller secret: %'),
    (SELECT max(updated_at) FROM runs WHERE name = 'rebuild' AND options->>'dryRun' IS DISTINCT FROM 'true'),
    '-infinity') AS since
  FROM custody WHERE caller_secret IS NOT NULL;
UPDATE recordings SET caller = prefix || caller,
  hinted_callers = ARRAY(SELECT prefix || one FROM unnest(hinted_callers) one)
FROM caller_secret_now secret
WHERE recordings.account_sid = secret.account_sid AND created_at > since
  AND (caller IS NOT NULL OR hinted_callers <> '{}');
UPDATE live_calls SET caller = prefix || caller, others = ARRAY(SELECT prefix || one FROM unnest(others) one)
FROM caller_secret_now secret
WHERE live_calls.account_sid = secret.account_sid AND first_seen_at > since
  AND (caller IS NOT NULL OR others <> '{}');
`;
