import type { FlexTokens } from '@flex-custody/twilio';
import type { Limits } from '../../http/plugins/limits.ts';
import type { Metrics } from '../../metrics.ts';
import type { SegmentLinks } from '../../playback/segment-link.ts';
import type { HostDeps } from '../host-deps.ts';

/** Dependencies that the rooms of one process share. */
export interface Shared extends HostDeps {
  metrics: Metrics;
  flexTokens: FlexTokens;
  limits: Limits;
  segmentLinks: SegmentLinks;
}
