import { asCallSid, asConferenceSid } from '@flex-custody/core';
import type { RecordingPlace } from '@flex-custody/twilio';
import type { Contact } from './contact.ts';

/** Attributes can name many: Twilio is asked for no more of one contact. */
const mostPlaces = 12;

/** Where Twilio may have recordings of a contact: its conferences, then its calls. */
export function placesOf({ keys }: Pick<Contact, 'keys'>): RecordingPlace[] {
  const conferences = keys.flatMap((key) => asConferenceSid(key) ?? []);
  const calls = keys.flatMap((key) => asCallSid(key) ?? []);
  return [...conferences.map((conference) => ({ conference })), ...calls.map((call) => ({ call }))].slice(
    0,
    mostPlaces,
  );
}
