import type { Command } from 'commander';
import { registerRecorderStatus } from './recorder-status.ts';

export function registerRecorder(program: Command): void {
  const recorder = program.command('recorder').description("follow agents' events");
  registerRecorderStatus(recorder);
}
