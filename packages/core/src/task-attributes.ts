import { asRecordingSid, type ReservationSid } from './sids.ts';

/**
 * One entry of a conversation's custom media, as Flex Insights reads it.
 * Source: https://www.twilio.com/docs/flex/developer/insights/custom-media-attached-conversations
 */
export interface VoiceRecordingEntry {
  type: 'VoiceRecording';
  url_provider: string;
  /** Epoch milliseconds, a number: Insights drops or trips over anything else. */
  start_time: number;
  channels?: readonly string[];
  title?: string;
}

/** Twilio refuses task attributes of more than this many characters. */
export const taskAttributesLimit = 4096;

export type TaskAttributes = Readonly<Record<string, unknown>>;

export interface MediaLink {
  entry: VoiceRecordingEntry;
  /** Known and proven: the entry goes to this reservation alone. Else it goes to the whole task. */
  reservationSid?: ReservationSid;
  /** For the older Player: a URL that plays without a token. Written only where none stands. */
  segmentLink?: string;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

/** The recording that an entry is of, by its query alone: the host may have moved since the entry was written. */
function recordingOf(item: unknown): string | undefined {
  const url = isObject(item) && typeof item['url_provider'] === 'string' ? item['url_provider'] : '';
  return asRecordingSid(/[?&]recording=([^&#]*)/.exec(url)?.[1]);
}

const startOf = (item: unknown): number =>
  isObject(item) && typeof item['start_time'] === 'number' ? item['start_time'] : Number.POSITIVE_INFINITY;

/** Voice recordings first, the earliest at the head: a `Raw` entry at the head would hide the rest from the Player. */
function withEntry(list: unknown, entry: VoiceRecordingEntry): unknown[] {
  const recording = recordingOf(entry);
  const others = (Array.isArray(list) ? list : []).filter(
    (item) => recording === undefined || recordingOf(item) !== recording,
  );
  const isVoice = (item: unknown) => isObject(item) && item['type'] === 'VoiceRecording';
  const voice = [...others.filter(isVoice), entry].sort((a, b) => startOf(a) - startOf(b));
  return [...voice, ...others.filter((item) => !isVoice(item))];
}

function merged(
  attributes: TaskAttributes,
  { entry, reservationSid, segmentLink }: MediaLink,
): Record<string, unknown> {
  const conversations = asObject(attributes['conversations']);
  const next: Record<string, unknown> = { ...attributes };
  const legacy = conversations['segment_link'] === undefined ? segmentLink : undefined;
  if (reservationSid) {
    const reservations = asObject(attributes['reservation_attributes']);
    const own = asObject(reservations[reservationSid]);
    next['reservation_attributes'] = {
      ...reservations,
      [reservationSid]: { ...own, media: withEntry(own['media'], entry) },
    };
    if (legacy) next['conversations'] = { ...conversations, segment_link: legacy };
  } else {
    next['conversations'] = {
      ...conversations,
      media: withEntry(conversations['media'], entry),
      ...(legacy ? { segment_link: legacy } : {}),
    };
  }
  return next;
}

/**
 * Attributes with the recording's entry merged in: everything else stays as it was, and the same recording merged
 * twice stands once. What does not fit is slimmed: first the title goes, then the legacy link, then the channels.
 * @returns the JSON text to write, or undefined where even the slimmest entry would overrun Twilio's limit
 */
export function mergeMediaLink(attributes: TaskAttributes, link: MediaLink): string | undefined {
  const { title: _title, ...untitled } = link.entry;
  const { channels: _channels, ...bare } = untitled;
  const { segmentLink: _legacy, ...modern } = link;
  const slimmer: MediaLink[] = [
    link,
    { ...link, entry: untitled },
    { ...modern, entry: untitled },
    { ...modern, entry: bare },
  ];
  for (const candidate of slimmer) {
    const text = JSON.stringify(merged(attributes, candidate));
    if (text.length <= taskAttributesLimit) return text;
  }
  return undefined;
}

/** True when the attributes already hold the entry at the place where {@link mergeMediaLink} would put it. */
export function hasMediaLink(attributes: TaskAttributes, link: MediaLink): boolean {
  const holder = link.reservationSid
    ? asObject(asObject(attributes['reservation_attributes'])[link.reservationSid])
    : asObject(attributes['conversations']);
  const list = holder['media'];
  const { url_provider } = link.entry;
  return Array.isArray(list) && list.some((item) => isObject(item) && item['url_provider'] === url_provider);
}

/**
 * `start_time` for Insights: a second before the earliest moment known, since Insights mislays a recording that starts
 * after the reservation was accepted (the Flex project template subtracts the same second).
 * @param moments epoch ms: the recording's start, and the acceptance or the task's last update where known
 */
export function insightsStartTime(...moments: readonly (number | undefined)[]): number {
  return Math.min(...moments.filter((moment): moment is number => moment !== undefined)) - 1000;
}
