import { CustodyError } from '@flex-custody/core';

/** How many rows are behind a page of a list. */
export interface Behind {
  n: number;
  /** False: there are more than `n`, and nobody has counted them. */
  isAll: boolean;
}

/** More rows behind a page are not counted one by one. */
export const mostCounted = 10_000;

/** @param found how many were found when {@link mostCounted} and one more were asked for */
export const behindOf = (found: number): Behind => ({
  n: Math.min(found, mostCounted),
  isAll: found <= mostCounted,
});

/** The same code and words on either side of the wire. */
export const pageUnknownCode = 'page_unknown';
export const pageUnknownText = 'what --after names was removed meanwhile: list from the beginning';

export const pageUnknown = (): CustodyError => new CustodyError(pageUnknownCode, pageUnknownText);
