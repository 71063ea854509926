import { ownAccount, rfc2822, version } from './format.ts';
import type { RestApp, RestDeps } from './route.ts';
import { onHost } from './route.ts';

/** The account itself: what a check of credentials asks for. */
export function accountRoutes(app: RestApp, { world }: RestDeps): void {
  app.get(`/${version}/Accounts/:account.json`, onHost('api'), async (request) => {
    ownAccount(world, request);
    const { accountSid, authToken, createdAt } = world.account;
    const base = `/${version}/Accounts/${accountSid}`;
    return {
      sid: accountSid,
      owner_account_sid: accountSid,
      auth_token: authToken,
      friendly_name: 'Northwind Energy (sandbox)',
      status: 'active',
      type: 'Full',
      date_created: rfc2822(createdAt),
      date_updated: rfc2822(createdAt),
      uri: `${base}.json`,
      subresource_uris: {
        calls: `${base}/Calls.json`,
        conferences: `${base}/Conferences.json`,
        recordings: `${base}/Recordings.json`,
      },
    };
  });
}
