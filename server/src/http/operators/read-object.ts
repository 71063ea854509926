import { CustodyError, isObject } from '@flex-custody/core';
import { textOf } from '../plugins/function-signature.ts';

/** Parses a body, which is the text that was signed. @throws CustodyError `request_invalid` (400) unless it is a JSON object */
export function readObject(body: unknown): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(textOf(body) || '{}');
    if (isObject(json)) return json;
  } catch {
    // Thrown below.
  }
  throw new CustodyError('request_invalid', 'the body is not a JSON object');
}
