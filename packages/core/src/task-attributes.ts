import type { JsonEdit, JsonItem } from './json-edit.ts';
import { isObject } from './json-fields.ts';
import { asRecordingSid, asReservationSid, type ReservationSid } from './sids.ts';

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
  /** Known and proven: the entry is written to this reservation alone; else to the whole task. */
  reservationSid?: ReservationSid;
  /** Segment link, for the older Player: a URL that plays without a token. Written only where the task has none. */
  segmentLink?: string;
}

const asObject = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

/** The recording that an entry is of, by its query alone: the host may have moved since the entry was written. */
function recordingOf(item: unknown): string | undefined {
  const url = isObject(item) && typeof item['url_provider'] === 'string' ? item['url_provider'] : '';
  return asRecordingSid(/[?&]recording=([^&#]*)/.exec(url)?.[1]);
}

/** The reservation that an entry names in place of a recording, since none existed when the entry was written. */
function reservationOf(item: unknown): ReservationSid | undefined {
  const url = isObject(item) && typeof item['url_provider'] === 'string' ? item['url_provider'] : '';
  return asReservationSid(/\/url-provider\?reservation=([^&#]*)$/.exec(url)?.[1]);
}

const mediaOf = (holder: unknown): readonly unknown[] => {
  const list = asObject(holder)['media'];
  return Array.isArray(list) ? list : [];
};

const startOf = (item: unknown): number =>
  isObject(item) && typeof item['start_time'] === 'number' ? item['start_time'] : Number.POSITIVE_INFINITY;

/** Voice recordings first, the earliest at the head: a `Raw` entry at the head would hide the rest from the Player. */
function withEntry(list: unknown, entry: VoiceRecordingEntry): JsonItem[] {
  const recording = recordingOf(entry);
  const others = (Array.isArray(list) ? list : [])
    .map((found: unknown, kept) => ({ found, item: { kept } }))
    .filter(({ found }) => recording === undefined || recordingOf(found) !== recording)
    // A recording replaces the entry that was written before there was one.
    .filter(({ found }) => reservationOf(found) === undefined);
  const isVoice = ({ found }: { found: unknown }) => isObject(found) && found['type'] === 'VoiceRecording';
  const voice = [...others.filter(isVoice), { found: entry, item: { put: entry } }].sort(
    (a, b) => startOf(a.found) - startOf(b.found),
  );
  return [...voice, ...others.filter((other) => !isVoice(other))].map(({ item }) => item);
}

function editsOf(
  attributes: TaskAttributes,
  { entry, reservationSid, segmentLink }: MediaLink,
): readonly JsonEdit[] {
  const conversations = asObject(attributes['conversations']);
  const own = asObject(asObject(attributes['reservation_attributes'])[reservationSid ?? '']);
  const media: JsonEdit = reservationSid
    ? { path: ['reservation_attributes', reservationSid, 'media'], items: withEntry(own['media'], entry) }
    : { path: ['conversations', 'media'], items: withEntry(conversations['media'], entry) };
  const edits = reservationSid ? [media] : [media, ...withoutReservationLinks(attributes)];
  if (!segmentLink || conversations['segment_link'] !== undefined) return edits;
  return [...edits, { path: ['conversations', 'segment_link'], value: segmentLink }];
}

/** An entry of a reservation hides the task's entries for that reservation, so a recording of the whole task replaces them all. */
function withoutReservationLinks(attributes: TaskAttributes): JsonEdit[] {
  return Object.entries(asObject(attributes['reservation_attributes'])).flatMap(([sid, holder]) => {
    const list = mediaOf(holder);
    const items = list.flatMap((found, kept) => (reservationOf(found) === sid ? [] : [{ kept }]));
    if (items.length === list.length) return [];
    const path = ['reservation_attributes', sid, 'media'];
    return [items.length > 0 ? { path, items } : { path, value: undefined }];
  });
}

/**
 * Edits that give a reservation an entry that names it in place of a recording (`?reservation=WR…`). {@link mergeMediaLink} replaces
 * it by the entry of a recording.
 * @returns undefined if the reservation or its task has an entry of a recording, or the reservation has this entry already
 */
export function mergeReservationLink(
  attributes: TaskAttributes,
  { entry, reservationSid }: MediaLink & { reservationSid: ReservationSid },
): (readonly JsonEdit[])[] | undefined {
  const own = mediaOf(asObject(attributes['reservation_attributes'])[reservationSid]);
  const isLinked = [...own, ...mediaOf(attributes['conversations'])].some(
    (item) => recordingOf(item) !== undefined || reservationOf(item) === reservationSid,
  );
  return isLinked ? undefined : mergeMediaLink(attributes, { entry, reservationSid });
}

/**
 * Edits that merge the recording's entry into a task's attributes; the same recording merged twice is there once.
 * @returns the fullest way first: then without the title, without the legacy link too, without the channels too
 */
export function mergeMediaLink(attributes: TaskAttributes, link: MediaLink): (readonly JsonEdit[])[] {
  const { title: _title, ...untitled } = link.entry;
  const { channels: _channels, ...bare } = untitled;
  const { segmentLink: _legacy, ...modern } = link;
  const slimmer: MediaLink[] = [
    link,
    { ...link, entry: untitled },
    { ...modern, entry: untitled },
    { ...modern, entry: bare },
  ];
  return slimmer.map((candidate) => editsOf(attributes, candidate));
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
