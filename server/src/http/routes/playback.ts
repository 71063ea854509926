import type { FastifyInstance } from 'fastify';
import { cors } from '../plugins/cors.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { mediaRoute } from './media.ts';
import { type SegmentParts, segmentRoute } from './segment.ts';
import { type UrlProviderParts, urlProviderRoute } from './url-provider.ts';

export interface PlaybackParts extends UrlProviderParts, SegmentParts {
  catalog: UrlProviderParts['catalog'];
  limits: UrlProviderParts['limits'];
  /** Flex origins that may read the answers in a browser. */
  origins: readonly string[];
}

/** Everything between Flex Insights and a recording's audio; registered in a scope of its own, as its CORS is. */
export async function playbackRoutes(app: FastifyInstance, parts: PlaybackParts): Promise<void> {
  await app.register(cors, { origins: parts.origins });
  refuseOtherMethods(app, { preflight: true });
  await urlProviderRoute(app, parts);
  await mediaRoute(app, parts);
  await segmentRoute(app, parts);
}
