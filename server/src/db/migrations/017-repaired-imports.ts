export const repairedImports = `
ALTER TABLE imports
  -- Of the bytes that were sealed, where the object's header was put right; sha256 is of the object's own.
  ADD COLUMN repaired_sha256 text;
`;
