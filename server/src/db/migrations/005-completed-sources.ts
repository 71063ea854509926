export const completedSources = `
ALTER TABLE recordings ADD COLUMN source_completed boolean NOT NULL DEFAULT false;
`;
