import type { CallSid, ReservationSid } from '@flex-custody/core';
import type { Hold } from './contact.ts';
import type { ConferenceFact, HoldFact, ParticipantsFact } from './facts/fact.ts';
import { compareText, groupBy } from './order.ts';
import { type Signal, type Span, sameMomentMs, spansOf } from './spans.ts';

export type HoldingFact = ConferenceFact | HoldFact | ParticipantsFact;

/** The segment of one agent, as far as holds need it. Times are epoch ms. */
export interface Segment {
  sid: ReservationSid;
  acceptedAt: number;
  endedAt?: number;
}

interface LegSignal extends Signal {
  callSid?: CallSid;
  reservationSid?: ReservationSid;
}

/**
 * The holds of a contact, from all four sources, each once.
 * @param facts ordered by time
 * @param customerCall the leg that a report without a leg means
 * @param segments in order of their acceptance
 */
export function holdsOf(
  facts: readonly HoldingFact[],
  customerCall: string | undefined,
  segments: readonly Segment[],
): Hold[] {
  const conference = inSequence(facts.filter((fact) => fact.kind === 'conference'));
  const signals = [...conference.flatMap(statusSignals), ...facts.flatMap(otherSignals)].sort(
    (a, b) => a.at - b.at,
  );
  const conferenceEnds = conference.flatMap((fact) => (fact.name === 'conference-end' ? [fact.at] : []));
  const legs = new Set(signals.flatMap((signal) => signal.callSid ?? []));
  const assumed = customerCall ?? (legs.size === 1 ? [...legs][0] : undefined);
  const byLeg = groupBy(signals, (signal) => signal.callSid ?? assumed);
  const named = [...byLeg].flatMap(([leg, own]) =>
    leg === undefined ? [] : spansOf(own).map((span) => ({ span, own, leg: leg as CallSid })),
  );
  const unnamed = spansOf(byLeg.get(undefined) ?? []).filter(
    (span) => !named.some((other) => overlap(span, other.span)),
  );
  return [...named, ...unnamed.map((span) => ({ span, own: byLeg.get(undefined) ?? [], leg: undefined }))]
    .map(({ span, own, leg }) => {
      const reporter = own.find(
        (signal) => signal.reservationSid && isWithin(signal.at, span),
      )?.reservationSid;
      const segment = segments.find(({ sid }) => sid === reporter) ?? segmentAt(segments, span.startedAt);
      return toHold(span, leg, segment, conferenceEnds);
    })
    .sort((a, b) => a.startedAt - b.startedAt || compareText(a.callSid ?? '', b.callSid ?? ''));
}

/** A hold that was never ended ends with its interaction, or with the conference if that ended first. */
function toHold(
  span: Span,
  callSid: CallSid | undefined,
  segment: Segment | undefined,
  conferenceEnds: readonly number[],
): Hold {
  const ends = [
    { at: segment?.endedAt, by: 'interaction' as const },
    { at: conferenceEnds.find((at) => at >= span.startedAt), by: 'conference' as const },
  ];
  const end = ends.reduce<{ at: number; by: 'interaction' | 'conference' } | undefined>(
    (first, { at, by }) =>
      at !== undefined && at >= span.startedAt && (!first || at < first.at) ? { at, by } : first,
    undefined,
  );
  const { endedAt } = span;
  return {
    startedAt: span.startedAt,
    ...(endedAt !== undefined ? { endedAt, endedBy: 'unhold' } : end && { endedAt: end.at, endedBy: end.by }),
    ...(callSid && { callSid }),
    ...(segment && { reservationSid: segment.sid }),
    sources: span.sources,
  };
}

const isWithin = (at: number, { startedAt, endedAt = Number.POSITIVE_INFINITY }: Span): boolean =>
  at >= startedAt - sameMomentMs && at <= endedAt + sameMomentMs;

const overlap = (a: Span, b: Span): boolean => isWithin(a.startedAt, b) || isWithin(b.startedAt, a);

/** Of several agents in a conference, the one who was connected first. */
const segmentAt = (segments: readonly Segment[], at: number): Segment | undefined =>
  segments.find(
    ({ acceptedAt, endedAt = Number.POSITIVE_INFINITY }) => acceptedAt <= at + sameMomentMs && at <= endedAt,
  );

/**
 * Each conference's events in the order of `SequenceNumber`: their times are whole seconds, and contradict it. A time
 * before that of the event before it is raised to it. Events without a number keep their place in time.
 */
export function inSequence(facts: readonly ConferenceFact[]): ConferenceFact[] {
  const numbered = facts.filter((fact) => fact.sequence !== undefined);
  const raised = [...groupBy(numbered, (fact) => fact.conferenceSid).values()].flatMap((own) => {
    let before = 0;
    return own
      .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))
      .map((fact) => {
        before = Math.max(before, fact.at);
        return { ...fact, at: before };
      });
  });
  const rest = facts.filter((fact) => fact.sequence === undefined);
  return [...raised, ...rest].sort((a, b) => a.at - b.at);
}

function statusSignals({ name, at, callSid, hold }: ConferenceFact): LegSignal[] {
  const on =
    name === 'participant-hold'
      ? true
      : // A participant who left is on hold no longer.
        name === 'participant-unhold' || name === 'participant-leave'
        ? false
        : name === 'participant-modify'
          ? hold
          : undefined;
  return on === undefined ? [] : [{ at, on, source: 'status', ...(callSid && { callSid }) }];
}

function otherSignals(fact: HoldingFact): LegSignal[] {
  if (fact.kind === 'conference') return [];
  if (fact.kind === 'participants') {
    return fact.participants.map(({ callSid, hold }) => ({
      at: fact.at,
      on: hold,
      source: 'participants',
      callSid,
    }));
  }
  const { at, on, source, callSid, reservationSid } = fact;
  return [{ at, on, source, ...(callSid && { callSid }), ...(reservationSid && { reservationSid }) }];
}
