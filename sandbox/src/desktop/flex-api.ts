import { ownNumber } from '../live/attributes.ts';
import { everyone, queueSid } from '../live/parameters.ts';
import type { World } from '../world.ts';
import type { Seat } from './session.ts';
import { offline, workflowSid } from './shapes.ts';

/** What an operator would set by `POST flex-api.twilio.com/v1/Configuration`. */
export interface DesktopSettings {
  ui_attributes: Record<string, unknown>;
  call_recording_enabled: boolean;
  call_recording_webhook_url: string | null;
}

/** `GET flex-api.twilio.com/v1/Configuration`: every field that Flex UI 2.17.1 reads without asking whether it is there. */
export function configuration(world: World, settings: DesktopSettings) {
  const at = world.account.createdAt.toISOString();
  return {
    account_sid: world.account.accountSid,
    instance_sid: `GO${world.account.accountSid.slice(2)}`,
    flex_instance_sid: `GO${world.account.accountSid.slice(2)}`,
    status: 'ok',
    ui_version: '2.17.1',
    ui_language: 'en-US',
    ui_dependencies: {},
    call_recording_enabled: settings.call_recording_enabled,
    call_recording_webhook_url: settings.call_recording_webhook_url,
    ui_attributes: { version_compatibility: 'yes', ...settings.ui_attributes },
    attributes: {},
    public_attributes: {},
    runtime_domain: 'https://flex-custody.twil.io',
    service_version: '1.0.0',
    taskrouter_workspace_sid: world.account.workspaceSid,
    taskrouter_offline_activity_sid: offline,
    taskrouter_skills: [],
    taskrouter_worker_channels: {},
    taskrouter_worker_attributes: {},
    taskrouter_target_workflow_sid: workflowSid,
    taskrouter_target_taskqueue_sid: queueSid(everyone),
    taskrouter_taskqueues: [],
    crm_enabled: false,
    crm_type: '',
    crm_callback_url: '',
    crm_fallback_url: '',
    crm_attributes: {},
    messaging_service_instance_sid: null,
    chat_service_instance_sid: null,
    flex_service_instance_sid: null,
    queue_stats_configuration: {},
    outbound_call_flows: {
      default: {
        enabled: true,
        caller_id: ownNumber,
        queue_sid: queueSid(everyone),
        workflow_sid: workflowSid,
        location: 'US',
      },
    },
    plugin_service_enabled: true,
    plugin_service_attributes: {},
    integrations: [],
    wfm_integrations: [],
    flex_insights_hr: { enabled: false },
    flex_insights_drilldown: false,
    markdown: { enabled: false, mode: 'readOnly' },
    notifications: { enabled: true, mode: 'whenNotInFocus' },
    channel_configs: [],
    debugger_integration: { enabled: false },
    flex_ui_status_report: { enabled: false },
    url: '',
    date_created: at,
    date_updated: at,
  };
}

/** What Flex UI keeps of its login, and requests again by Tokens/Info, Tokens/validate and a refresh. */
export function tokenInfo(world: World, { worker, roles, token }: Seat) {
  const { accountSid } = world.account;
  const expiration = world.tokens.get(token)?.expiresAt.toISOString() ?? null;
  const flexUserSid = `FU${worker.sid.slice(2)}`;
  return {
    valid: true,
    code: 0,
    message: null,
    expiration,
    realm_user_id: worker.identity,
    identity: worker.identity,
    roles,
    worker_sid: worker.sid,
    workerSid: worker.sid,
    flex_user_sid: flexUserSid,
    flexUserSid,
    account_sid: accountSid,
    accountSid,
    permissions: {},
    token,
  };
}

/** Why a browser that asks with a token of yesterday is sent away. */
export const refusedToken = { valid: false, code: 20101, message: 'Token is not valid' };
