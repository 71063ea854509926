/** One frame of twilsock V3.0: a header in JSON, and a payload. What Sync and Conversations speak to Twilio through. */
export interface Frame {
  header: Record<string, unknown>;
  payload: string;
}

const magic = 'TWILSOCK V3.0 ';

/** @throws Error where it is no frame */
export function readFrame(bytes: Buffer): Frame {
  const end = bytes.indexOf('\r\n');
  const first = bytes.toString('latin1', 0, end);
  const length = Number(first.slice(magic.length));
  if (end < 0 || !first.startsWith(magic) || !Number.isInteger(length)) throw new Error('no twilsock frame');
  const headerEnd = end + 2 + length;
  const header = JSON.parse(bytes.toString('utf8', end + 2, headerEnd)) as Record<string, unknown>;
  return { header, payload: bytes.toString('utf8', headerEnd + 2) };
}

export function writeFrame(header: Record<string, unknown>, payload?: unknown): Buffer {
  const body = payload === undefined ? '' : JSON.stringify(payload);
  const facts = {
    ...header,
    payload_size: Buffer.byteLength(body),
    ...(body === '' ? {} : { payload_type: 'application/json' }),
  };
  const head = JSON.stringify(facts);
  return Buffer.from(`${magic}${Buffer.byteLength(head)}\r\n${head}\r\n${body}`);
}
