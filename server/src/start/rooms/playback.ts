import { playbackRoutes } from '../../http/routes/playback.ts';
import { createMediaLinks } from '../../playback/media-link.ts';
import { createRecordingReader } from '../../playback/recording-reader.ts';
import { createTwilioMedia } from '../../playback/twilio-media.ts';
import { createReservations } from '../../recorder/acceptance/reservations.ts';
import type { Room } from '../../room.ts';
import type { Shared } from './shared.ts';

export function playbackRoom(shared: Shared): Room {
  const { audit, catalog, config, credentials, flexTokens, keys, limits, log, segmentLinks, store } = shared;
  const { agentsMayPlayOwn, flexOrigins: origins, mediaSecret: secret, publicUrl } = config;
  const deps = {
    ...{ audit, catalog, flexTokens, limits, origins, segmentLinks, store },
    settings: { agentsMayPlayOwn },
    reservations: createReservations(shared),
    mediaLinks: createMediaLinks({ secret, publicUrl, ttlSeconds: config.mediaTtlSeconds }),
    reader: createRecordingReader({ store, keys, log }),
    twilioMedia: createTwilioMedia(credentials),
  };
  return { routes: [(scope) => playbackRoutes(scope, deps)] };
}
