import { errorCode } from '@flex-custody/core';
import { readConfig } from './lib/config.ts';
import { copyUnderLease } from './lib/copy.ts';
import { endpoint } from './lib/endpoint.ts';
import { forwardToFlex } from './lib/forward.ts';
import { hostClient } from './lib/host-client.ts';
import { readRecordingForm } from './lib/recording-form.ts';

/**
 * Twilio reports a recording's status. The host registers and links it and says who copies; with a lease the audio goes
 * from Twilio through the envelope into the bucket in one pass. Answers: 200 the matter is in good hands, 400 no such
 * callback, 503 the host knows nothing of it and Twilio should ask again.
 */
export const handler = endpoint({
  name: 'recording-status-callback',
  config: readConfig,
  parse: readRecordingForm,
  async work({ callback, body }, { config, deadline, log }) {
    const recording = callback.recordingSid;
    const host = hostClient(config, deadline);
    const answer = await host.register(callback);
    const forwarding = (async () => {
      if (!(await forwardToFlex(config, callback, answer, body, deadline))) return undefined;
      await host.report(recording, { outcome: 'forwarded' });
      return undefined;
    })().catch((error: unknown) => error);

    let outcome: string = answer.action;
    if (answer.action === 'copy') {
      const end = await copyUnderLease(config, answer, deadline);
      outcome = end.outcome;
      const code = end.outcome === 'failed' ? { code: end.code } : {};
      const bytes = end.outcome === 'sealed' ? { bytes: end.object.plaintextBytes } : {};
      log({ recording, outcome, ...code, ...bytes });
      // Not delivered: the lease lapses and the host takes over. Asking Twilio to call again would change nothing.
      await host.report(recording, end).catch((error: unknown) => {
        log({ recording, outcome: 'report-lost', code: errorCode(error) });
      });
    } else {
      log({ recording, outcome });
    }

    const refused = await forwarding;
    if (refused === undefined) return { status: 200, body: { outcome } };
    const code = errorCode(refused);
    log({ recording, outcome: 'not-forwarded', code });
    // Copied or not, Twilio's retry finds the rest done and forwards again; what is refused for good is not asked twice.
    return { status: code === 'forward_refused' ? 200 : 503, body: { outcome, error: code } };
  },
});
