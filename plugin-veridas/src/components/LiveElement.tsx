import * as React from 'react';
import { type CallTask, elementParameters, type StoredConference } from '../call/parameters';
import type { VeridasConfig } from '../config/veridas-config';
import type { PanelDeps } from '../panel-deps';
import { VendorElement } from './VendorElement';

/** A call, and how much of it Flex knows now. */
export interface CallPanelProps {
  deps: PanelDeps;
  task: CallTask & { sid: string };
  stored: StoredConference | undefined;
  live: boolean;
}

/** The vendor's element with the parameters of this moment: Flex renews its token while the agent works. */
export function LiveElement({
  deps,
  task,
  stored,
  live,
  config,
  utils,
}: CallPanelProps & { config: VeridasConfig; utils: unknown }): JSX.Element {
  const [, renew] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => deps.onToken(renew), [deps]);
  return (
    <VendorElement
      config={config}
      utils={utils}
      parameters={elementParameters(task, stored, live, deps.token())}
    />
  );
}
