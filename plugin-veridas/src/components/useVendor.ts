import * as React from 'react';
import type { PanelDeps } from '../panel-deps';
import type { VendorLoad } from '../vendor/load';

/** The vendor's files; undefined while they load. */
export function useVendor(deps: PanelDeps): { load: VendorLoad | undefined; again: () => void } {
  const [load, setLoad] = React.useState<VendorLoad>();
  const current = React.useRef(0);
  const ask = React.useCallback(
    (again: boolean) => {
      current.current += 1;
      const asked = current.current;
      setLoad(undefined);
      void deps.vendor(again).then((found) => {
        if (current.current === asked) setLoad(found);
      });
    },
    [deps],
  );
  React.useEffect(() => {
    ask(false);
    return () => {
      current.current += 1;
    };
  }, [ask]);
  return { load, again: () => ask(true) };
}
