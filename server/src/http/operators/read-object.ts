import { CustodyError, isObject } from '@flex-custody/core';
import { textOf } from '../plugins/function-signature.ts';

/** A body, which comes as the text that was signed. @throws CustodyError `request_invalid` (400) for all but a JSON object */
export function readObject(body: unknown): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(textOf(body) || '{}');
    if (isObject(json)) return json;
  } catch {
    // Said below.
  }
  throw new CustodyError('request_invalid', 'the body is no JSON object');
}
