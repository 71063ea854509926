import { ratesOf } from '../history/rates.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { csatOf } from './csat.ts';
import { brevoLimits } from './limits.ts';

const minuteMs = 60_000;

/** What a file says to the parts of the connector, beside its mapping and its log. */
export const settingsOf = (file: BrevoConfig) => ({
  following: {
    settleSeconds: file.settle_seconds,
    agentActivity: file.sync.agent_activity,
    ...(file.csat && { csat: csatOf(file.csat) }),
  },
  crm: {
    collisions: file.collisions,
    createAttributes: file.create_attributes,
    resendAfterMs: file.resend_uncertain_after * minuteMs,
  },
  erase: file.erase,
  limits: brevoLimits(file.plan, file.plan_factor),
  rates: ratesOf(file.limits),
});
