import { params, resource } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps } from './route.ts';

/** An interaction of Flex, by the tasks whose attributes name it: a list of all does not exist. */
export function interactionRoutes(app: RestApp, { world }: RestDeps): void {
  app.get('/v1/Interactions/:sid', onHost('flex-api'), async (request) => {
    const sid = params(request)['sid'] ?? '';
    const task = [...world.tasks.values()].find(({ attributes }) => attributes.includes(`"${sid}"`));
    if (!task || !sid.startsWith('KD')) throw notFound(resource(request));
    const attributes = JSON.parse(task.attributes) as Record<string, unknown>;
    const url = `https://flex-api.twilio.com/v1/Interactions/${sid}`;
    return {
      sid,
      channel: {
        type: attributes['channelType'] ?? 'web',
        sid: attributes['flexInteractionChannelSid'] ?? null,
      },
      routing: { properties: { task_sid: task.sid, workspace_sid: world.account.workspaceSid } },
      interaction_context_sid: null,
      webhook_ttid: null,
      url,
      links: { channels: `${url}/Channels` },
    };
  });
}
