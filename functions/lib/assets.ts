interface Asset {
  open(): string;
}

/**
 * The text of a private asset, which the runtime has beside the Functions: `assets/name.private.ext` is `/name.ext` here.
 * Undefined where the deployment has none.
 * Source: https://www.twilio.com/docs/serverless/functions-assets/client#runtimegetassets
 */
export function privateAsset(path: string): string | undefined {
  const { Runtime } = globalThis as typeof globalThis & {
    Runtime?: { getAssets(): Readonly<Record<string, Asset>> };
  };
  return Runtime?.getAssets()[path]?.open();
}
