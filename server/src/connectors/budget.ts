/** What an answer said about the limit of its class. */
export interface LimitReport {
  limit?: number;
  remaining?: number;
  /** Seconds from the answer until the window begins again. */
  resetSeconds?: number;
}

/** One budget for all processes of a site, by classes of requests. */
export interface Budgets<C extends string> {
  /**
   * Resolves when the next request of the class may begin.
   * @throws the signal's reason
   */
  turn(of: C, signal?: AbortSignal): Promise<void>;
  /** Corrects the budget by an answer of the other system. */
  learn(of: C, report: LimitReport): Promise<void>;
  /** No request of the class begins for so long; another process notices within half a second. */
  pause(of: C, ms: number): Promise<void>;
}
