/** Preloaded into a host whose clock is wrong: so many milliseconds ahead, in all that asks the time of day. */
const ahead = Number(process.env.FAULTS_CLOCK_AHEAD_MS ?? 0);
const Real = Date;

globalThis.Date = class extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead);
    else super(...given);
  }

  static now() {
    return Real.now() + ahead;
  }
};
