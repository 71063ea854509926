/** What S3 and the SDK say of a failure, as far as an operator can act on it. */
export interface StoreFailure {
  status: number | undefined;
  /** As the store or the network calls it; `unknown` where neither does. */
  name: string;
  /** For our own checks, never to be shown: the server that answered wrote it. */
  message: string;
  /** Where the bucket is, as S3 says. */
  region?: string;
  /** The endpoint or region that S3 names instead. */
  endpoint?: string;
  /** The version that was asked for is the marker of a deletion. */
  deleteMarker?: boolean;
}

interface Thrown {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  Region?: unknown;
  Endpoint?: unknown;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string | undefined> };
}

/** The characters of a server's answer that a message of ours may repeat. */
const plain = (pattern: RegExp, value: unknown): string | undefined =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;
const aName = /^[\w.-]{1,80}$/;
const aRegion = /^[a-z0-9-]{2,40}$/;
const aHost = /^[\w.-]{1,200}(:\d{1,5})?$/;

export function failureOf(error: unknown): StoreFailure {
  if (typeof error !== 'object' || error === null) return { status: undefined, name: 'unknown', message: '' };
  const { name, code, message, Region, Endpoint, $metadata, $response } = error as Thrown;
  const headers = $response?.headers ?? {};
  const region = plain(aRegion, Region) ?? plain(aRegion, headers['x-amz-bucket-region']);
  const endpoint = plain(aHost, Endpoint) ?? plain(aHost, hostOf(headers['location']));
  return {
    status: $metadata?.httpStatusCode,
    name: plain(aName, code) ?? plain(aName, name) ?? 'unknown',
    message: typeof message === 'string' ? message : '',
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    ...(headers['x-amz-delete-marker'] === 'true' && { deleteMarker: true }),
  };
}

const hostOf = (url: string | undefined): string | undefined =>
  url !== undefined && URL.canParse(url) ? new URL(url).host : undefined;
