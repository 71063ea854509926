import { retentionWorks, runRetention } from '../../retention/index.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export const retentionRoom = (shared: Shared): Room => ({
  jobs: runRetention(shared),
  works: retentionWorks(shared),
});
