/**
 * `X-Twilio-Signature` of a form, as Twilio itself would send it: the account's primary auth token is all that it needs.
 * @param url exactly as it is called, without a fragment
 */
export async function signAsTwilio(
  authToken: string,
  url: string,
  form: Readonly<Record<string, string>>,
): Promise<string> {
  const { getExpectedTwilioSignature } = await import('twilio/lib/webhooks/webhooks.js');
  return getExpectedTwilioSignature(authToken, url, { ...form });
}

/**
 * Whether `X-Twilio-Signature` is that of a webhook. Of a JSON body it covers the URL, whose query has the SHA-256 of the
 * body (`bodySHA256`): the caller compares the body with it. Of a form it covers the URL and each field.
 * @param authTokens those that count; two while they are rotated
 * @param urls the ways in which Twilio may have written the URL
 */
export async function isSignedByTwilio(
  authTokens: readonly string[],
  urls: readonly string[],
  signature: string,
  form: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  const { validateRequest } = await import('twilio/lib/webhooks/webhooks.js');
  return authTokens.some((token) =>
    urls.some((url) => URL.canParse(url) && validateRequest(token, signature, url, { ...form })),
  );
}
