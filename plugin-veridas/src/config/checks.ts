/** How one value of the configuration is read: the guide wants strings, people write numbers as well. */
export interface Check {
  /** `be a number from 0.0 to 1.0` */
  must: string;
  /** The value as a string, or undefined where it cannot be so. */
  read(value: unknown): string | undefined;
}

const decimal = /^\d{1,3}(\.\d{1,6})?$/;

const numberText = (least: number, most: number, unit: string): Check => ({
  must: `be ${unit} from ${least.toFixed(1)} to ${most.toFixed(1)}`,
  read(value) {
    const given = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
    if (!decimal.test(given)) return undefined;
    return Number(given) >= least && Number(given) <= most ? given : undefined;
  },
});

export const secondsText = numberText(0, 30, 'seconds');
export const shareText = numberText(0, 1, 'a number');

export const text: Check = {
  must: 'be a text',
  read: (value) => (typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined),
};

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Tokens and voices go there: in the clear only where they never leave the machine. */
const url = (schemes: readonly ('https:' | 'wss:')[]): Check => ({
  must: `be a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  read(value) {
    if (typeof value !== 'string' || /\s/.test(value)) return undefined;
    try {
      const { protocol, hostname, username, password } = new URL(value);
      if (username !== '' || password !== '') return undefined;
      const sealed = schemes.some((scheme) => scheme === protocol);
      const local =
        loopback.has(hostname) && schemes.some((scheme) => scheme.replace('s:', ':') === protocol);
      return sealed || local ? value : undefined;
    } catch {
      return undefined;
    }
  },
});

export const webUrl = url(['https:']);
/** Signalling speaks Socket.IO, which takes both schemes. */
export const socketUrl = url(['https:', 'wss:']);
