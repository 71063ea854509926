import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { form, ownAccount, params } from './format.ts';
import { onHost, type RestApp, type RestDeps, TwilioError } from './route.ts';

/**
 * Twilio's own FlexRecordingWebhook, where a recording's form may be forwarded. What the real one answers to a wrong
 * signature is unverified; this one refuses it, so that a forwarder that signs wrongly is found here.
 */
export function webhookRoutes(app: RestApp, { world, events }: RestDeps): void {
  const path = '/v1/Accounts/:account/Workspaces/:workspace/Tasks/:task/FlexRecordingWebhook';
  app.post(path, onHost('webhooks'), async (request) => {
    ownAccount(world, request);
    const fields = form(request) as Record<string, string>;
    const url = `https://webhooks.twilio.com${request.url}`;
    const signature = getExpectedTwilioSignature(world.account.authToken, url, fields);
    if (request.headers['x-twilio-signature'] !== signature)
      throw new TwilioError(403, 20003, 'The signature does not fit');
    const taskSid = params(request)['task'] ?? '';
    world.forwarded.push({ taskSid, form: { ...fields }, at: new Date() });
    events.emit('callback.forwarded', { task: taskSid, recording: fields['RecordingSid'] });
    return {};
  });
}
