import type { Room } from '../../room.ts';
import { alarmsRoom } from './alarms.ts';
import { connectorsRoom } from './connectors.ts';
import { eventsRoom } from './events.ts';
import { ingestRoom } from './ingest.ts';
import { playbackRoom } from './playback.ts';
import { openRecorder, recorderRoom } from './recorder.ts';
import { retentionRoom } from './retention.ts';
import type { Shared } from './shared.ts';

/** All rooms of a host. */
export function openRooms(shared: Shared): readonly Room[] {
  const recorder = openRecorder(shared);
  return [
    playbackRoom(shared),
    ingestRoom(shared, recorder.recorder),
    recorderRoom(shared, recorder),
    eventsRoom(shared),
    retentionRoom(shared),
    connectorsRoom(shared),
    alarmsRoom(shared),
  ];
}
