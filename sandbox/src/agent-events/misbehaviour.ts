/** How Event Streams may treat events, since it promises neither order nor a single delivery. */
export interface Misbehaviour {
  /** Of so many events one is dropped for good (91303); 0: none. */
  loseOneIn: number;
  /** Of so many events one is delivered twice; 0: none. */
  duplicateOneIn: number;
  shuffle: boolean;
  delayMs: number;
  /** Beginnings of types that are never sent, as if nothing had asked for them. */
  without: readonly string[];
  /** Events of one delivery. */
  batch: number;
  /** Of the random numbers: the same seed gives the same misbehaviour. */
  seed: number;
}

export const wellBehaved: Misbehaviour = {
  loseOneIn: 0,
  duplicateOneIn: 0,
  shuffle: false,
  delayMs: 0,
  without: [],
  batch: 20,
  seed: 1,
};

export interface Treated<T> {
  sent: T[];
  lost: T[];
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Loses, duplicates and shuffles events. */
export function treat<T>(events: readonly T[], how: Misbehaviour, random: () => number): Treated<T> {
  const sent: T[] = [];
  const lost: T[] = [];
  for (const event of events) {
    if (how.loseOneIn > 0 && random() < 1 / how.loseOneIn) {
      lost.push(event);
      continue;
    }
    sent.push(event);
    if (how.duplicateOneIn > 0 && random() < 1 / how.duplicateOneIn) sent.push(event);
  }
  if (how.shuffle) {
    for (let at = sent.length - 1; at > 0; at -= 1) {
      const other = Math.floor(random() * (at + 1));
      const [a, b] = [sent[at] as T, sent[other] as T];
      sent[at] = b;
      sent[other] = a;
    }
  }
  return { sent, lost };
}
