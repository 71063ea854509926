import { newSid } from '../sids.ts';
import { iso8601, pageV1 } from './format.ts';
import { notFound, onHost, type RestApp, type RestDeps } from './route.ts';

const base = '/v1/PluginService';
const releaseSid = newSid('FK');
const configurationSid = newSid('FJ');

/** What `flex plugins:release` would have put there: one active release with the world's plugins. */
export function pluginServiceRoutes(app: RestApp, { world }: RestDeps): void {
  const { accountSid, createdAt } = world.account;
  const common = { account_sid: accountSid, date_created: iso8601(createdAt) };
  const hidden = (path: string) => {
    if (world.plugins.length === 0) throw notFound(path);
  };

  app.get(`${base}/Releases/active`, onHost('flex-api'), async (request) => {
    hidden(request.url);
    const url = `https://flex-api.twilio.com${base}/Releases/${releaseSid}`;
    return { ...common, sid: releaseSid, configuration_sid: configurationSid, url };
  });

  app.get(`${base}/Configurations/${configurationSid}/Plugins`, onHost('flex-api'), async (request) => {
    hidden(request.url);
    const url = `https://flex-api.twilio.com${base}/Configurations/${configurationSid}/Plugins`;
    return pageV1(request, 'plugins', world.plugins, ({ name, version }) => ({
      ...common,
      configuration_sid: configurationSid,
      plugin_sid: newSid('FP'),
      plugin_version_sid: newSid('FV'),
      phase: 3,
      plugin_url: `https://flex.twilio.com/plugins/v1/${name}/${version}/bundle.js`,
      unique_name: name,
      friendly_name: name,
      description: '',
      plugin_archived: false,
      version,
      changelog: '',
      plugin_version_archived: false,
      private: false,
      url,
    }));
  });
}
