import * as React from 'react';
import type { ElementParameters } from '../call/parameters';
import type { VeridasConfig } from '../config/veridas-config';
import { elementName } from '../vendor/load';

interface Props {
  config: VeridasConfig;
  utils: unknown;
  parameters: ElementParameters;
}

const dashed = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The vendor's element, given its things as the guide's component gives them: parameters with the element itself, `config`
 * and `utils` as properties once it is in the page. Which of attribute (also with dashes) and property the closed bundle
 * reads is not published: it is given all.
 */
export function VendorElement({ config, utils, parameters }: Props): JSX.Element {
  const ref = React.useRef<HTMLElement>(null);
  React.useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    // A constructor that threw leaves an element that does nothing, which React does not hear of.
    if (!element.matches(':defined')) throw new Error(`<${elementName}> could not be made`);
    Object.assign(element, { config, utils });
  }, [config, utils]);
  React.useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    for (const [name, value] of Object.entries(parameters)) {
      // False where the element has it to be read only: then the attribute is what counts.
      if (Reflect.get(element, name) !== value) Reflect.set(element, name, value);
    }
  });
  const attributes = Object.entries(parameters).flatMap(([name, value]) => [
    [name, value],
    [dashed(name), value],
  ]);
  return React.createElement(elementName, { ref, ...Object.fromEntries(attributes) });
}
