import * as React from 'react';
import { elementParameters } from '../call/parameters';
import type { VeridasConfig } from '../config/veridas-config';
import { VendorElement } from './VendorElement';
import type { VoicePanelProps } from './VoicePanel';

/** The vendor's element with the parameters of this moment: Flex renews its token while the agent works. */
export function LiveElement({
  desk,
  task,
  stored,
  live,
  config,
  utils,
}: VoicePanelProps & { config: VeridasConfig; utils: unknown }): JSX.Element {
  const [, renew] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => desk.onToken(renew), [desk]);
  return (
    <VendorElement
      config={config}
      utils={utils}
      parameters={elementParameters(task, stored, live, desk.token())}
    />
  );
}
