import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findNodeAtLocation, parseTree } from 'jsonc-parser';
import { iso8601 } from './format.ts';
import { onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

const path = '/v1/Configuration';

/** What may be written; the rest of the resource is Twilio's own to say. */
const writable = ['ui_attributes', 'call_recording_enabled', 'call_recording_webhook_url'];

/** The one configuration of the account's Flex: each field that is sent replaces the whole field. */
export function flexConfigurationRoutes(app: RestApp, { world }: RestDeps): void {
  const body = (reply: FastifyReply) => {
    const { uiAttributesText: text, ui_attributes: attributes, ...rest } = world.flexConfiguration;
    const others = JSON.stringify({ ...untouched(world.account), ...rest });
    reply.type('application/json');
    return `${others.slice(0, -1)},"ui_attributes":${textOf(attributes, text)}}`;
  };

  app.get(path, onHost('flex-api'), async (_request, reply) => body(reply));

  app.post(path, { ...onHost('flex-api'), preParsing: keepText }, async (request, reply) => {
    const sent = request.body as Record<string, unknown> | null;
    if (!sent || sent['account_sid'] !== world.account.accountSid)
      throw new TwilioError(400, 45004, 'account_sid must be the SID of the account');
    const written = Object.entries(sent).filter(([name]) => writable.includes(name));
    Object.assign(world.flexConfiguration, Object.fromEntries(written), {
      date_updated: iso8601(new Date()),
    });
    const text = texts.get(request) ?? '{}';
    const root = parseTree(text);
    const node = root && findNodeAtLocation(root, ['ui_attributes']);
    if (node) world.flexConfiguration.uiAttributesText = text.slice(node.offset, node.offset + node.length);
    return body(reply);
  });
}

const texts = new WeakMap<FastifyRequest, string>();

/** The parser hands on no text: it is read here, and read again there. */
async function keepText(request: FastifyRequest, _reply: FastifyReply, payload: AsyncIterable<Buffer>) {
  const pieces: Buffer[] = [];
  for await (const piece of payload) pieces.push(piece);
  const body = Buffer.concat(pieces);
  texts.set(request, body.toString());
  return Readable.from([body]);
}

/** The text that was written, unless its content has changed since. */
const textOf = (attributes: Record<string, unknown>, text: string | undefined): string =>
  text !== undefined && isDeepStrictEqual(JSON.parse(text), attributes) ? text : JSON.stringify(attributes);

function untouched(account: RestDeps['world']['account']): Record<string, unknown> {
  const createdAt = iso8601(account.createdAt);
  const named = {
    account_sid: account.accountSid,
    date_created: createdAt,
    date_updated: createdAt,
    status: 'ok',
    taskrouter_workspace_sid: account.workspaceSid,
    runtime_domain: 'https://flex.twilio.com',
    flex_url: 'https://flex.twilio.com',
    ui_language: 'en-us',
    ui_version: '2.17.1',
    service_version: '1.0.0',
    url: `https://flex-api.twilio.com${path}`,
  };
  return { ...Object.fromEntries(unset.map((name) => [name, null])), ...named };
}

/** Named by Twilio's description and of no concern here. */
const unset = [
  'attributes',
  'taskrouter_target_workflow_sid',
  'taskrouter_target_taskqueue_sid',
  'taskrouter_taskqueues',
  'taskrouter_skills',
  'taskrouter_worker_channels',
  'taskrouter_worker_attributes',
  'taskrouter_offline_activity_sid',
  'messaging_service_instance_sid',
  'chat_service_instance_sid',
  'flex_service_instance_sid',
  'flex_instance_sid',
  'ui_dependencies',
  'crm_enabled',
  'crm_type',
  'crm_callback_url',
  'crm_fallback_url',
  'crm_attributes',
  'public_attributes',
  'plugin_service_enabled',
  'plugin_service_attributes',
  'integrations',
  'outbound_call_flows',
  'serverless_service_sids',
  'queue_stats_configuration',
  'notifications',
  'markdown',
  'flex_insights_hr',
  'flex_insights_drilldown',
  'channel_configs',
  'debugger_integration',
  'flex_ui_status_report',
  'agent_conv_end_methods',
  'citrix_voice_vdi',
  'offline_config',
];
