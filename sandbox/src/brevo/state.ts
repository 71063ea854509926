import { randomBytes } from 'node:crypto';
import { type Attributes, createAttributes } from './attributes.ts';
import { type Contacts, createContacts } from './contacts.ts';
import { type BrevoEvents, createEvents } from './events.ts';
import { type BrevoFaults, createBrevoFaults } from './faults.ts';
import { createLimits, type LimitClass, type Limits } from './limits.ts';
import { createLists, type Lists } from './lists.ts';
import { type BrevoSettings, usualSettings } from './settings.ts';

export interface BrevoRequest {
  at: number;
  method: string;
  /** Below /v3, with its query. */
  path: string;
  body: unknown;
  class: LimitClass;
  /** Undefined where no answer was sent. */
  status?: number;
}

/** One account of Brevo's, in memory. */
export interface Brevo {
  readonly apiKey: string;
  readonly settings: BrevoSettings;
  readonly contacts: Contacts;
  readonly attributes: Attributes;
  readonly lists: Lists;
  readonly events: BrevoEvents;
  readonly faults: BrevoFaults;
  readonly limits: Limits;
  /** The last ones, oldest first. */
  readonly requests: readonly BrevoRequest[];
  /** All that came since the last reset. */
  readonly requestCount: number;
  /** How many requests exceeded a limit. A 429 that a fault made is not among them. */
  readonly earned429: number;
  /** Of unknown contacts, where the settings say that they are dropped. */
  readonly droppedEvents: number;
  note(request: BrevoRequest): void;
  noteEarned429(): void;
  noteDropped(): void;
  /** Forgets all that came, and takes the usual settings. */
  reset(): void;
  readonly now: () => number;
}

const keptRequests = 50_000;

export function createBrevo(now: () => number = Date.now): Brevo {
  const settings: BrevoSettings = { ...usualSettings };
  let requests: BrevoRequest[] = [];
  let counts = { requests: 0, earned429: 0, dropped: 0 };
  const attributes = createAttributes(settings);
  const lists = createLists(now);
  const faults = createBrevoFaults();
  const limits = createLimits(settings, now);
  const events = createEvents(settings, now, () => counts.requests);
  const contacts = createContacts(settings, now, (kept, gone) => events.move(gone, kept));
  return {
    apiKey: `xkeysib-${randomBytes(32).toString('hex')}-${randomBytes(8).toString('hex')}`,
    settings,
    contacts,
    attributes,
    lists,
    events,
    faults,
    limits,
    get requests() {
      return requests;
    },
    get requestCount() {
      return counts.requests;
    },
    get earned429() {
      return counts.earned429;
    },
    get droppedEvents() {
      return counts.dropped;
    },
    note(request) {
      counts.requests += 1;
      requests.push(request);
      if (requests.length > 2 * keptRequests) requests = requests.slice(-keptRequests);
    },
    noteEarned429() {
      counts.earned429 += 1;
    },
    noteDropped() {
      counts.dropped += 1;
    },
    reset() {
      Object.assign(settings, usualSettings);
      requests = [];
      counts = { requests: 0, earned429: 0, dropped: 0 };
      for (const part of [attributes, lists, faults, limits, events, contacts]) part.clear();
    },
    now,
  };
}
