import type { IncomingMessage, ServerResponse } from 'node:http';
import { forward, listenOnLoopback } from './s3-faults.ts';

/** `cut`: the connection breaks before an answer, although Kinesis has answered. */
export const kinesisTroubles = ['throttled', 'expired', 'failed', 'cut', 'slow'] as const;
export type KinesisTrouble = (typeof kinesisTroubles)[number];

export interface KinesisWay {
  endpoint: string;
  disturb(trouble: KinesisTrouble, times: number): void;
  /** Requests that have met a trouble. */
  met(): number;
  close(): Promise<void>;
}

const slowMs = 2_000;
const answers = {
  throttled: [400, 'ProvisionedThroughputExceededException'],
  expired: [400, 'ExpiredIteratorException'],
  failed: [500, 'InternalFailure'],
} as const;

/** A way to Kinesis on which its readers meet what Kinesis documents, and broken connections. */
export async function startKinesisWay(endpoint: string): Promise<KinesisWay> {
  const { hostname, port } = new URL(endpoint);
  let pending: { trouble: KinesisTrouble; times: number }[] = [];
  let met = 0;
  /** Only a reading can be refused because of its iterator, or of what is read in a second. */
  const take = (operation: string): KinesisTrouble | undefined => {
    const found = pending.find(
      ({ trouble }) => operation === 'GetRecords' || (trouble !== 'expired' && trouble !== 'throttled'),
    );
    if (!found) return undefined;
    found.times -= 1;
    if (found.times === 0) pending = pending.filter((one) => one !== found);
    met += 1;
    return found.trouble;
  };
  const way = await listenOnLoopback((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? '';
    const trouble = take(operation);
    const pass = () => forward(incoming, outgoing, { hostname, port }, undefined);
    if (trouble === 'slow') setTimeout(pass, slowMs);
    else if (trouble === 'cut') cut(incoming);
    else if (trouble) refuse(outgoing, answers[trouble]);
    else pass();
  });
  return {
    ...way,
    disturb: (trouble, times) => void pending.push({ trouble, times }),
    met: () => met,
  };
}

function refuse(outgoing: ServerResponse, [status, code]: readonly [number, string]): void {
  outgoing.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code });
  outgoing.end(JSON.stringify({ __type: code, message: 'by the storm' }));
}

function cut(incoming: IncomingMessage): void {
  incoming.resume();
  incoming.once('end', () => incoming.socket.destroy());
}
