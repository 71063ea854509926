import { elementName, type VendorSources } from './load';

const scriptTimeoutMs = 20_000;
const definitionMs = 3_000;

/** How a browser runs what comes from a URL. */
export const browser: VendorSources['browser'] = {
  runScript: (url) =>
    new Promise((resolve, reject) => {
      const script = document.createElement('script');
      const end = (act: () => void) => {
        clearTimeout(timer);
        act();
      };
      const give = () => {
        script.remove();
        reject(new Error(`cannot be loaded: ${url}`));
      };
      const timer = setTimeout(give, scriptTimeoutMs);
      script.src = url;
      script.async = true;
      script.onload = () => end(resolve);
      script.onerror = () => end(give);
      document.head.appendChild(script);
    }),
  // The comment keeps webpack from resolving it: the browser itself imports.
  importModule: (url) => import(/* webpackIgnore: true */ url),
  isDefined: (wait) =>
    customElements.get(elementName) !== undefined || !wait
      ? Promise.resolve(customElements.get(elementName) !== undefined)
      : Promise.race([
          customElements.whenDefined(elementName).then(() => true),
          new Promise<boolean>((resolve) => setTimeout(() => resolve(false), definitionMs)),
        ]),
  global: (name) => (window as unknown as Readonly<Record<string, unknown>>)[name],
};
