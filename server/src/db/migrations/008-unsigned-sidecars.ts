export const unsignedSidecars = `
-- Sidecars that are left to be signed: empty once they are.
CREATE INDEX recordings_unsigned ON recordings (recording_sid COLLATE "C")
  WHERE state = 'verified' AND sidecar IS NOT NULL AND sidecar->>'signedBy' IS NULL;
`;
