import type { Command } from 'commander';
import { registerRecorderEvents } from './recorder-events.ts';
import { registerRecorderPeriods } from './recorder-periods.ts';
import { registerRecorderSettings } from './recorder-settings.ts';
import { registerRecorderSetup } from './recorder-setup.ts';
import { registerRecorderShort } from './recorder-short.ts';
import { registerRecorderStatus } from './recorder-status.ts';

export function registerRecorder(program: Command): void {
  const recorder = program
    .command('recorder')
    .description("follow the agents' events, and what is made of them");
  registerRecorderSettings(recorder);
  registerRecorderEvents(recorder);
  registerRecorderStatus(recorder);
  registerRecorderSetup(recorder);
  registerRecorderPeriods(recorder);
  registerRecorderShort(recorder);
}
