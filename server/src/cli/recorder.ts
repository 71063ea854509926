import type { Command } from 'commander';
import { registerRecorderRepair } from './recorder-repair.ts';
import { registerRecorderSetup } from './recorder-setup.ts';

export function registerRecorder(program: Command): void {
  const recorder = program
    .command('recorder')
    .description("follow the agents' events, and what is made of them");
  registerRecorderSetup(recorder);
  registerRecorderRepair(recorder);
}
