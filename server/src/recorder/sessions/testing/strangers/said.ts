import { createHash } from 'node:crypto';
import type { Contact, Interaction } from '../../contact.ts';

const workers = new Map(
  ['ada', 'bert', 'cleo', 'dora'].map((name) => [
    `WK${createHash('sha256').update(`/WK/${name}`).digest('hex').slice(0, 32)}`,
    name,
  ]),
);

/** A contact as lines that a person reads: moments in seconds since the beginning of the story, `-` for unknown. */
export function said(contact: Contact, start: number): string[] {
  const at = (moment: number | undefined) => (moment === undefined ? '-' : String((moment - start) / 1000));
  const holds = (list: Contact['holds']) =>
    list
      .map((one) => ` hold ${at(one.startedAt)}..${at(one.endedAt)}${one.endedBy ? ` ${one.endedBy}` : ''}`)
      .join('');
  const line = (one: Interaction) =>
    [
      `${workers.get(one.workerSid ?? '') ?? '?'} ${one.via}`,
      one.kind === contact.kind ? '' : ` ${one.kind}`,
      one.direction === contact.direction ? '' : ` ${one.direction}`,
      ` @${one.queue?.name ?? '-'} ${at(one.offeredAt)} ${at(one.acceptedAt)} ${at(one.endedAt)}`,
      ` ${one.endReason ?? 'open'}`,
      one.wait === undefined ? '' : ` wait ${one.wait}`,
      one.recording.expected ? ' recorded' : ` ${one.recording.reason}`,
      holds(one.holds),
    ].join('');
  const ofNone = contact.holds.filter(({ reservationSid }) => reservationSid === undefined);
  return [
    [
      `${contact.channel} ${contact.kind} ${contact.direction}`,
      ` ${at(contact.openedAt)} ${at(contact.connectedAt)} ${at(contact.closedAt)}`,
      contact.wait === undefined ? '' : ` wait ${contact.wait}`,
      contact.inactive ? ' inactive' : '',
      ...contact.marks.map((mark) => ` ${mark}`),
      holds(ofNone),
    ].join(''),
    ...contact.interactions.map(line),
    ...(contact.tail ? [`tail ${at(contact.tail.from)}..${at(contact.tail.to)}`] : []),
  ];
}
