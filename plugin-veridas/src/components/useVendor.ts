import * as React from 'react';
import type { OperatorApi } from '../desk';
import type { VendorLoad } from '../vendor/load';

/** The vendor's files; undefined while they load. */
export function useVendor(desk: OperatorApi): { load: VendorLoad | undefined; again: () => void } {
  const [load, setLoad] = React.useState<VendorLoad>();
  const current = React.useRef(0);
  const ask = React.useCallback(
    (again: boolean) => {
      current.current += 1;
      const asked = current.current;
      setLoad(undefined);
      void desk.vendor(again).then((found) => {
        if (current.current === asked) setLoad(found);
      });
    },
    [desk],
  );
  React.useEffect(() => {
    ask(false);
    return () => {
      current.current += 1;
    };
  }, [ask]);
  return { load, again: () => ask(true) };
}
