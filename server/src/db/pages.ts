import { CustodyError } from '@flex-custody/core';

/** How many rows follow a page of a list. */
export interface Behind {
  n: number;
  /** False: there are more than `n`, which were not counted. */
  isAll: boolean;
}

/** More rows than this after a page are not counted. */
export const mostCounted = 10_000;

/** @param found number of rows found, of at most {@link mostCounted} and one more */
export const behindOf = (found: number): Behind => ({
  n: Math.min(found, mostCounted),
  isAll: found <= mostCounted,
});

/** The same message on both sides of the wire. */
export const pageUnknownCode = 'page_unknown';
export const pageUnknownText = 'the row that --after names was removed meanwhile: list from the beginning';

export const pageUnknown = (): CustodyError => new CustodyError(pageUnknownCode, pageUnknownText);
