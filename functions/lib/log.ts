export interface Outcome {
  event: string;
  recording?: string;
  call?: string;
  outcome?: string;
  /** An error's stable code; never its message, which may quote what a stranger sent. */
  code?: string;
  /** Of a faulty or outdated environment, or a faulty callback, alone: the names of the variables or fields at fault, and the next step. */
  detail?: string;
  bytes?: number;
  /** How many recordings it was done to. */
  count?: number;
  ms: number;
}

/** One line of JSON per outcome: SIDs, codes and numbers, nothing that a caller said or that opens a door. */
export function logOutcome(outcome: Outcome): void {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
