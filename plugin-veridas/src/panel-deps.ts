import type { FlexSettings } from '@flex-custody/core';
import type { Manager } from '@twilio/flex-ui';
import { type ConfigReading, readVeridasConfig } from './config/veridas-config';
import type { GateDeps } from './consent/gate';
import { consentMemory } from './consent/memory';
import { sendReport } from './consent/report';
import { warn } from './log';
import { type Text, textOf } from './strings/strings';
import { browser } from './vendor/browser';
import { builtIn } from './vendor/built-in';
import { loadVendor, type Vendor, type VendorLoad } from './vendor/load';

/** What the components ask of Flex, of the host and of the vendor. */
export interface PanelDeps extends GateDeps {
  text: Text;
  /** The Flex token of this moment. */
  token(): string;
  isAdmin(): boolean;
  /** @returns the way to stop listening */
  onToken(listener: () => void): () => void;
  /** The vendor's files; what is loaded is not loaded again. */
  vendor(again?: boolean): Promise<VendorLoad>;
  config(vendor: Vendor): ConfigReading;
}

export function createPanelDeps(manager: Manager, settings: FlexSettings): PanelDeps {
  const { veridas, functionsUrl, hostUrl } = settings;
  const token = () => manager.user.token;
  let attempt = 0;
  let loading: Promise<VendorLoad> | undefined;
  return {
    consentNeeded: veridas.consent,
    text: textOf(() => manager.strings as unknown as Readonly<Record<string, unknown>>),
    token,
    isAdmin: () => manager.user.roles.includes('admin'),
    onToken(listener) {
      manager.events.addListener('tokenUpdated', listener);
      return () => void manager.events.removeListener('tokenUpdated', listener);
    },
    vendor(again = false) {
      if (again) loading = undefined;
      loading ??= loadVendor(
        {
          builtIn,
          vendorUrl: veridas.vendorUrl,
          browser,
          onError: (file, cause) => warn(`${file} cannot be used`, cause),
        },
        attempt++,
      );
      return loading;
    },
    config(vendor) {
      const reading = readVeridasConfig({ vendor: vendor.config, settings: veridas.config, functionsUrl });
      if (!veridas.consent || hostUrl !== undefined) return reading;
      const hostUnset = { path: 'host_url', must: 'be set: the host records the consent' };
      return { ok: false, problems: [hostUnset, ...(reading.ok ? [] : reading.problems)] };
    },
    memory: consentMemory(() => sessionStorage),
    send: (report) => sendReport(report, { hostUrl, token, fetch: (url, init) => fetch(url, init) }),
  };
}
