import type { CsatSetting } from '../said.ts';
import type { BrevoConfig } from './config/brevo-config.ts';

/** Flex Insights' measures are below an attribute of their own. */
export const csatOf = ({ measure, scale }: NonNullable<BrevoConfig['csat']>): CsatSetting => ({
  path: /^conversation_(measure|attribute)_\d+$/.test(measure) ? `conversations.${measure}` : measure,
  ...(scale !== undefined && { scale }),
});
