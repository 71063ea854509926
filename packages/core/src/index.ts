export * from './errors.ts';
export * from './ingest.ts';
export * from './recording-callback.ts';
export * from './recording-state.ts';
export * from './sids.ts';
export * from './task-attributes.ts';
