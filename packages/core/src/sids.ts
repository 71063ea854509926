/**
 * Twilio's identifiers as branded types: a string becomes a SID only through one of these parsers, so a SID in a
 * signature is proof that its shape was checked. Two letters, then 32 lower-case hexadecimal digits
 * (https://www.twilio.com/docs/glossary/what-is-a-sid).
 */
declare const brand: unique symbol;
export type Sid<P extends string> = string & { readonly [brand]: P };

export type AccountSid = Sid<'AC'>;
export type CallSid = Sid<'CA'>;
export type ConferenceSid = Sid<'CF'>;
export type ConversationSid = Sid<'CH'>;
export type RecordingSid = Sid<'RE'>;
export type ReservationSid = Sid<'WR'>;
export type TaskSid = Sid<'WT'>;
export type WorkerSid = Sid<'WK'>;
export type WorkspaceSid = Sid<'WS'>;

function parser<P extends string>(prefix: P): (value: unknown) => Sid<P> | undefined {
  const shape = new RegExp(`^${prefix}[0-9a-f]{32}$`);
  return (value) => (typeof value === 'string' && shape.test(value) ? (value as Sid<P>) : undefined);
}

export const asAccountSid = parser('AC');
export const asCallSid = parser('CA');
export const asConferenceSid = parser('CF');
export const asConversationSid = parser('CH');
export const asRecordingSid = parser('RE');
export const asReservationSid = parser('WR');
export const asTaskSid = parser('WT');
export const asWorkerSid = parser('WK');
export const asWorkspaceSid = parser('WS');
