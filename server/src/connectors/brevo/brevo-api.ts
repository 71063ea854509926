/** Identifiers of a contact at Brevo; what is absent is not sent. */
export interface BrevoIdentifiers {
  email?: string;
  /** `ext_id`. */
  extId?: string;
  /** E.164: the attribute SMS. */
  phone?: string;
  /** E.164: the attribute WHATSAPP. */
  whatsapp?: string;
}

export type BrevoValue = string | number | boolean;

/** A contact as we want it at Brevo. */
export interface BrevoContact {
  identifiers: BrevoIdentifiers;
  /**
   * By their upper-case names, without SMS, WHATSAPP and EXT_ID. An empty text is sent, since it empties the attribute: only
   * `overwrite: always` makes one.
   */
  attributes: Readonly<Record<string, BrevoValue>>;
  listIds: readonly number[];
}

export interface BrevoEvent {
  name: string;
  at: Date;
  /** Of the contact; `contactId` wins where it is known. */
  identifiers: { contactId?: number } & BrevoIdentifiers;
  /** `event_properties`. */
  properties: Readonly<Record<string, BrevoValue>>;
}

/** What became of a request. Secrets and addresses are in no field. */
export type BrevoOutcome<T> =
  | { kind: 'done'; value: T }
  /** Two contacts would share these identifiers, as Brevo names them; empty where it does not say. */
  | {
      kind: 'collision';
      identifiers: readonly ('email' | 'ext_id' | 'SMS' | 'WHATSAPP' | 'LANDLINE_NUMBER')[];
    }
  /** Not the request's fault: nothing of this account may be sent for now. */
  | { kind: 'pause'; reason: 'key' | 'credits' | 'address' | 'forbidden'; status: number; code?: string }
  /** It was not taken; the same request may be taken later. */
  | { kind: 'later'; status?: number; afterMs?: number }
  /** The request may have been taken: the connection ended, or the time was over, after it was sent. */
  | { kind: 'unknown' }
  | { kind: 'refused'; status: number; code: string; message: string }
  | { kind: 'missing' };

export interface BrevoFound {
  name: string;
  at: Date;
  contactId?: number;
  properties: Readonly<Record<string, unknown>>;
}

/** Brevo, as far as the connector needs it. Every method waits for its turn in its class's budget. */
export interface Brevo {
  /** Creates the contact, or updates it. @returns its id where Brevo states it: an update states none */
  putContact(
    contact: BrevoContact,
    how?: { merge?: boolean; signal?: AbortSignal },
  ): Promise<BrevoOutcome<{ id?: number }>>;
  /** `missing` where Brevo has no such contact. */
  contact(
    identifiers: BrevoIdentifiers & { contactId?: number },
    signal?: AbortSignal,
  ): Promise<
    BrevoOutcome<{ id: number; attributes: Readonly<Record<string, unknown>>; listIds: readonly number[] }>
  >;
  /** Empties attributes of a contact and takes it off lists, or removes the contact. */
  forget(
    contactId: number,
    what: 'contact' | { attributes: readonly string[]; listIds: readonly number[] },
    signal?: AbortSignal,
  ): Promise<BrevoOutcome<undefined>>;
  sendEvent(event: BrevoEvent, signal?: AbortSignal): Promise<BrevoOutcome<undefined>>;
  /** At most 200 events and 512 KB. @returns what Brevo did not take, by its index in `events` */
  sendEvents(
    events: readonly BrevoEvent[],
    signal?: AbortSignal,
  ): Promise<BrevoOutcome<{ refused: readonly { index: number; code: string; message: string }[] }>>;
  /** Events that Brevo has, at most 10,000. */
  events(
    of: { name?: string; contactId?: number; from: Date; to: Date },
    signal?: AbortSignal,
  ): Promise<BrevoOutcome<{ events: readonly BrevoFound[]; isWhole: boolean }>>;
  attributes(signal?: AbortSignal): Promise<BrevoOutcome<readonly { name: string; type: string }[]>>;
  createAttribute(
    name: string,
    type: 'text' | 'date' | 'float' | 'boolean',
    signal?: AbortSignal,
  ): Promise<BrevoOutcome<undefined>>;
  /** `missing` where there is no such list. */
  list(id: number, signal?: AbortSignal): Promise<BrevoOutcome<{ name: string }>>;
  account(signal?: AbortSignal): Promise<BrevoOutcome<{ company: string; plans: readonly string[] }>>;
}
