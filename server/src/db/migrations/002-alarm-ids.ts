export const alarmIds = `
ALTER TABLE alarms ADD COLUMN id serial UNIQUE, ADD COLUMN cleared_at timestamptz;
`;
