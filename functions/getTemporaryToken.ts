import { parseVoiceTokenRequest } from '@flex-custody/core';
import { privateAsset } from './lib/assets.ts';
import { consentedCall } from './lib/consented-call.ts';
import { readVendorConfig } from './lib/flex-config.ts';
import { flexEndpoint } from './lib/flex-endpoint.ts';
import { vendorToken } from './lib/vendor-token.ts';

/**
 * The vendor's token for an agent on a live call whose caller agreed: the bare text `<token_type> <access_token>`, which the
 * vendor's bundle puts into a header as it is. Our client credentials never reach a browser.
 */
export const handler = flexEndpoint({
  name: 'getTemporaryToken',
  config: readVendorConfig,
  parse: parseVoiceTokenRequest,
  async work(asked, { config, viewer, deadline, log }) {
    await consentedCall(config, viewer, asked, deadline);
    const token = await vendorToken(config.vendor, privateAsset('/veridas-ca.pem'), deadline);
    log({ outcome: 'answered' });
    return { status: 200, body: token };
  },
});
