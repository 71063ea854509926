export const auditSubjects = `
ALTER TABLE audit
  -- What the entry is about; its SID is in recording_sid, of whatever kind it is. Null in entries of earlier releases, which
  -- stay as they were written: the first two letters of their SID say the kind.
  ADD COLUMN subject_kind text,
  -- The program has the list of actions.
  DROP CONSTRAINT audit_action_check;
`;
