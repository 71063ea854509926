export const tracesOfCalls = `
-- What was reported of a call goes with its last recording, also where that was never linked to a task.
CREATE INDEX reports_of_conference ON reports (conference_sid) WHERE conference_sid IS NOT NULL;
CREATE INDEX pauses_by_task ON pauses (task_sid);
-- What an earlier release's erasures were asked for.
UPDATE runs SET options = options - ARRAY['callers', 'tasks']
  WHERE name = 'erase' AND finished_at IS NOT NULL;
`;
