import { applyEdits } from '../../../test/support/apply-edits.ts';
import { asReservationSid } from './sids.ts';
import {
  hasMediaLink,
  insightsStartTime,
  mergeMediaLink,
  mergeReservationLink,
  type VoiceRecordingEntry,
} from './task-attributes.ts';

const reservationSid = asReservationSid(`WR${'b'.repeat(32)}`)!;
const entry = (digit: string, start_time: number): VoiceRecordingEntry => ({
  type: 'VoiceRecording',
  url_provider: `https://custody.example/url-provider?recording=RE${digit.repeat(32)}`,
  start_time,
  channels: ['customer', 'others'],
  title: 'Recording',
});
type Link = Parameters<typeof mergeMediaLink>[1];
/** The attributes after each way of merging, the fullest first; parsed text, so any shape. */
const ways = (attributes: object, link: Link) =>
  mergeMediaLink(attributes as Record<string, unknown>, link).map((edits) =>
    JSON.parse(JSON.stringify(applyEdits(attributes, edits))),
  );
const merge = (attributes: object, link: Link) => ways(attributes, link)[0];

const flex = {
  from: 'caller',
  direction: 'inbound',
  conference: { sid: 'CF' },
  conversations: { external_contact: 'x', segment_recording_offset: 3 },
};

test('a proven reservation gets the entry; everything else stays as it was', () => {
  expect(merge(flex, { entry: entry('1', 10), reservationSid })).toEqual({
    ...flex,
    reservation_attributes: { [reservationSid]: { media: [entry('1', 10)] } },
  });
});

test('without a reservation the whole task gets it', () => {
  expect(merge(flex, { entry: entry('1', 10) })).toEqual({
    ...flex,
    conversations: { ...flex.conversations, media: [entry('1', 10)] },
  });
});

test('the same recording merged again stands once, with its newest facts', () => {
  const once = merge(flex, { entry: entry('1', 10), reservationSid });
  const twice = merge(once, { entry: entry('1', 20), reservationSid });
  expect(twice.reservation_attributes[reservationSid].media).toEqual([entry('1', 20)]);
});

test('the earliest recording is first, and no other kind of media before a recording', () => {
  const raw = { type: 'Raw', url: 'https://x.example', title: 'Form' };
  const before = { conversations: { media: [raw, entry('2', 20)] } };
  expect(merge(before, { entry: entry('1', 10) }).conversations.media).toEqual([
    entry('1', 10),
    entry('2', 20),
    raw,
  ]);
});

test("another reservation's media and keys are kept", () => {
  const other = { WR1: { media: [entry('9', 1)], note: 'kept' } };
  const result = merge({ reservation_attributes: other }, { entry: entry('1', 10), reservationSid });
  expect(result.reservation_attributes.WR1).toEqual(other.WR1);
});

test.each([
  ['text', 'x'],
  ['a list', []],
  ['null', null],
])('attributes that hold %s where an object belongs are repaired, not tripped over', (_what, value) => {
  const broken = { conversations: value, reservation_attributes: value };
  expect(merge(broken, { entry: entry('1', 10) }).conversations.media).toHaveLength(1);
  expect(
    merge(broken, { entry: entry('1', 10), reservationSid }).reservation_attributes[reservationSid].media,
  ).toHaveLength(1);
});

test('slimmer ways: without the title, then without the legacy link, then without the channels', () => {
  const { title: _t, ...untitled } = entry('1', 10);
  const { channels: _c, ...bare } = untitled;
  const link = { entry: entry('1', 10), segmentLink: 'https://custody.example/segment' };
  expect(ways({ pad: 1 }, link)).toEqual([
    { pad: 1, conversations: { media: [entry('1', 10)], segment_link: link.segmentLink } },
    { pad: 1, conversations: { media: [untitled], segment_link: link.segmentLink } },
    { pad: 1, conversations: { media: [untitled] } },
    { pad: 1, conversations: { media: [bare] } },
  ]);
});

test('entries of others are kept by their place, so that their text can stay', () => {
  const raw = { type: 'Raw', url: 'https://x.example' };
  const conversations = { media: [raw, entry('1', 5), entry('2', 20)] };
  const [edits] = mergeMediaLink({ conversations }, { entry: entry('1', 10) });
  expect(edits).toEqual([
    { path: ['conversations', 'media'], items: [{ put: entry('1', 10) }, { kept: 2 }, { kept: 0 }] },
  ]);
});

test('an entry of the same recording under an earlier address is replaced, others are not', () => {
  const moved = { ...entry('1', 10), url_provider: entry('1', 1).url_provider.replace('custody', 'old') };
  const foreign = { type: 'Raw', url_provider: 'https://x.example/?recording=none' };
  const before = { conversations: { media: [moved, entry('2', 20), foreign] } };
  expect(hasMediaLink(before, { entry: entry('1', 10) })).toBe(false);
  expect(merge(before, { entry: entry('1', 10) }).conversations.media).toEqual([
    entry('1', 10),
    entry('2', 20),
    foreign,
  ]);
});

test('a legacy link is written only where none stands', () => {
  const segmentLink = 'https://custody.example/segment';
  expect(merge(flex, { entry: entry('1', 1), reservationSid, segmentLink }).conversations).toEqual({
    ...flex.conversations,
    segment_link: segmentLink,
  });
  const taken = { conversations: { segment_link: 'https://theirs.example' } };
  expect(merge(taken, { entry: entry('1', 1), segmentLink }).conversations.segment_link).toBe(
    'https://theirs.example',
  );
});

test('a link that stands is recognised where it belongs and nowhere else', () => {
  const link = { entry: entry('1', 10), reservationSid };
  const linked = merge(flex, link);
  expect(hasMediaLink(linked, link)).toBe(true);
  expect(hasMediaLink(linked, { entry: entry('1', 10) })).toBe(false);
  expect(hasMediaLink(linked, { entry: entry('2', 10), reservationSid })).toBe(false);
  expect(hasMediaLink(flex, link)).toBe(false);
});

test('start_time is a second before the earliest moment known', () => {
  expect(insightsStartTime(1_574_350_320_000, undefined, 1_574_350_300_000)).toBe(1_574_350_299_000);
  expect(insightsStartTime(1_574_350_320_000)).toBe(1_574_350_319_000);
});

describe('the link of a reservation that has no recording yet', () => {
  const awaited: VoiceRecordingEntry = {
    type: 'VoiceRecording',
    url_provider: `https://custody.example/url-provider?reservation=${reservationSid}`,
    start_time: 5,
  };
  const at = (attributes: object) =>
    mergeReservationLink(attributes as Record<string, unknown>, { entry: awaited, reservationSid });
  const applied = (attributes: object) =>
    JSON.parse(JSON.stringify(applyEdits(attributes as Record<string, unknown>, at(attributes)?.[0] ?? [])));
  const others = {
    type: 'VoiceRecording',
    url_provider: 'https://theirs.example/?reservation=x',
    start_time: 1,
  };

  test('is written once, beside what others wrote', () => {
    const before = { ...flex, reservation_attributes: { [reservationSid]: { media: [others], note: 1 } } };
    const after = applied(before);
    expect(after.reservation_attributes[reservationSid]).toEqual({ media: [others, awaited], note: 1 });
    expect(at(after)).toBeUndefined();
  });

  test.each([
    ['the reservation', { reservation_attributes: { [reservationSid]: { media: [entry('1', 10)] } } }],
    ['the task', { conversations: { media: [entry('1', 10)] } }],
  ])('is not written where %s has a recording', (_where, attributes) => {
    expect(at(attributes)).toBeUndefined();
  });

  test("is replaced by the reservation's recording", () => {
    const before = { reservation_attributes: { [reservationSid]: { media: [awaited, others] } } };
    expect(merge(before, { entry: entry('1', 10), reservationSid }).reservation_attributes).toEqual({
      [reservationSid]: { media: [others, entry('1', 10)] },
    });
  });

  test('is taken away by a recording of the task, which it would hide, at every reservation', () => {
    const other = `WR${'c'.repeat(32)}`;
    const ofOther = { ...awaited, url_provider: awaited.url_provider.replace(reservationSid, other) };
    const before = {
      reservation_attributes: {
        [reservationSid]: { media: [awaited], note: 1 },
        [other]: { media: [others, ofOther] },
        WR1: { media: [entry('9', 1)] },
      },
    };
    expect(merge(before, { entry: entry('1', 10) })).toEqual({
      conversations: { media: [entry('1', 10)] },
      reservation_attributes: {
        [reservationSid]: { note: 1 },
        [other]: { media: [others] },
        WR1: { media: [entry('9', 1)] },
      },
    });
  });
});
