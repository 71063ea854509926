import { asReservationSid, CustodyError, type ReservationSid } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { Completeness } from '../../recorder/completeness/completeness.ts';
import { isOneLine, isReason } from '../../recorder/completeness/reasons.ts';
import { readObject } from './read-object.ts';

const withDay = {
  params: { type: 'object', properties: { day: { type: 'string', format: 'date' } } },
} as const;

/** The routes of completeness of the operators' listener; the scope checks the right. */
export function completenessRoutes(scope: FastifyInstance, api: Completeness): void {
  scope.get<{ Params: { day: string } }>('/completeness/:day', { schema: withDay }, ({ params }) =>
    api.completeness(params.day),
  );
  scope.post('/segments/explain', ({ body }) => {
    const { reservationSid, reason, comment, explainedBy } = readObject(body);
    if (!isReason(reason) || (comment !== undefined && !isOneLine(comment))) throw invalid();
    return api.explainSegment({
      ...{ reservationSid: sidOf(reservationSid), reason, explainedBy: nameOf(explainedBy) },
      ...(comment !== undefined && { comment }),
    });
  });
  scope.post('/segments/withdraw', ({ body }) => {
    const { reservationSid, by } = readObject(body);
    return api.withdrawReason({ reservationSid: sidOf(reservationSid), by: nameOf(by) });
  });
}

function sidOf(value: unknown): ReservationSid {
  const sid = asReservationSid(value);
  if (sid) return sid;
  throw invalid();
}

function nameOf(value: unknown): string {
  if (isOneLine(value)) return value;
  throw invalid();
}

const invalid = () => new CustodyError('request_invalid', 'the body does not have the fields of a reason');
