export const brevoFaultKinds = [
  'status',
  'status-after',
  'reset-before',
  'reset-after',
  'stall-before',
  'stall-after',
  'html',
] as const;

/**
 * What goes wrong with a request: `status` refuses it, `status-after` says so once it has had its effect; `reset` breaks the
 * connection and `stall` never answers, before the request has an effect or after; `html` answers 200 with a page, without an effect.
 */
export interface BrevoFault {
  kind: (typeof brevoFaultKinds)[number];
  /** Of `status` and `status-after`. */
  status: number;
  /** How many requests it meets; 0 = until it is cleared. */
  times: number;
  /** It meets each so-manieth request that matches. */
  every: number;
  /** Meets only requests whose `METHOD /path` below /v3 contains this. */
  match: string;
}

export interface BrevoFaults {
  add(fault: Partial<BrevoFault> & Pick<BrevoFault, 'kind'>): void;
  /** The fault that this request meets, if any. @param request `METHOD /path` */
  take(request: string): BrevoFault | undefined;
  list(): readonly (BrevoFault & { met: number })[];
  clear(): void;
}

export function createBrevoFaults(): BrevoFaults {
  let all: (BrevoFault & { met: number; seen: number })[] = [];
  const isOver = ({ times, met }: { times: number; met: number }) => times > 0 && met >= times;
  return {
    add: (fault) => void all.push({ status: 503, times: 1, every: 1, match: '', ...fault, met: 0, seen: 0 }),
    take(request) {
      for (const fault of all) {
        if (isOver(fault) || !request.includes(fault.match)) continue;
        fault.seen += 1;
        if (fault.seen % fault.every !== 0) continue;
        fault.met += 1;
        return fault;
      }
      return undefined;
    },
    list: () => all.map(({ seen: _seen, ...fault }) => fault),
    clear() {
      all = [];
    },
  };
}
