import twilio from 'twilio';
import { getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';

/** The signature of the same request as Twilio would make it over another address of it. */
export function signAgain(
  authToken: string,
  baseUrl: string,
  request: { url: string; contentType: string | undefined; body: string },
): string {
  return getExpectedTwilioSignature(authToken, `${baseUrl}${request.url}`, formOf(request));
}

/**
 * Whether Twilio signed the request, over the URL it called: the production one, whatever name the request arrived
 * under here. The fragment with connection overrides is no part of it.
 * Source: https://www.twilio.com/docs/usage/security#validating-requests
 */
export function signedByTwilio(
  authToken: string,
  baseUrl: string,
  request: { url: string; signature: string | undefined; contentType: string | undefined; body: string },
): boolean {
  if (!request.signature) return false;
  const url = `${baseUrl}${request.url}`;
  if (/^application\/json\b/i.test(request.contentType ?? '')) {
    return twilio.validateRequestWithBody(authToken, request.signature, url, request.body);
  }
  return twilio.validateRequest(authToken, request.signature, url, formOf(request));
}

function formOf(request: {
  contentType: string | undefined;
  body: string;
}): Record<string, string | string[]> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.contentType ?? '')) return {};
  const form: Record<string, string | string[]> = {};
  const fields = new URLSearchParams(request.body);
  for (const name of new Set(fields.keys())) {
    const values = fields.getAll(name);
    form[name] = values.length === 1 ? (values[0] ?? '') : values;
  }
  return form;
}
