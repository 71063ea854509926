import type { FastifyInstance } from 'fastify';
import { cors } from '../plugins/cors.ts';
import { refuseOtherMethods } from '../plugins/methods.ts';
import { mediaRoute } from './media.ts';
import { type SegmentDeps, segmentRoute } from './segment.ts';
import { type UrlProviderDeps, urlProviderRoute } from './url-provider.ts';

export interface PlaybackDeps extends UrlProviderDeps, SegmentDeps {
  catalog: UrlProviderDeps['catalog'];
  limits: UrlProviderDeps['limits'];
  /** Flex origins that may read the answers in a browser. */
  origins: readonly string[];
}

/** All routes by which Flex Insights plays a recording, in a scope with its own CORS. */
export async function playbackRoutes(app: FastifyInstance, deps: PlaybackDeps): Promise<void> {
  await app.register(cors, { origins: deps.origins });
  refuseOtherMethods(app, { preflight: true });
  await urlProviderRoute(app, deps);
  await mediaRoute(app, deps);
  await segmentRoute(app, deps);
}
