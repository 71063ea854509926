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
