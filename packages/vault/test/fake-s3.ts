import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { StoreConfig } from '../src/store/types.ts';

export interface S3Request {
  method: string;
  key: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
}

type Fault = (request: S3Request, response: ServerResponse) => boolean | Promise<boolean>;

const hex = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

/** As much of S3 as the store calls, in memory, and whatever may go wrong with it. */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  readonly uploads = new Map<string, { key: string; parts: Map<number, Buffer> }>();
  /** Encryption as each object was put with, by key. */
  readonly atRest = new Map<string, Record<string, string>>();
  readonly requests: S3Request[] = [];
  /** As some stores do: a list begins at its first key in any case. */
  ignoresStartAfter = false;
  /** True from it: the request was dealt with. */
  fault: Fault = () => false;
  #number = 0;
  readonly #server: Server = createServer((request, response) => {
    this.#answer(request, response).catch(() => response.destroy());
  });

  async start(): Promise<StoreConfig> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return {
      bucket: 'b',
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${port}`,
      pathStyle: true,
      accessKeyId: 'A',
      secretAccessKey: 'S',
      mode: 'envelope',
    };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  reset(): void {
    this.objects.clear();
    this.atRest.clear();
    this.uploads.clear();
    this.requests.length = 0;
    this.fault = () => false;
    this.ignoresStartAfter = false;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(incoming.url ?? '', 'http://s3');
    const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'));
    const request = {
      method: incoming.method ?? '',
      key,
      query: url.searchParams,
      headers: incoming.headers,
    };
    this.requests.push(request);
    if (await this.fault(request, response)) {
      return incoming.resume();
    }
    const body = await buffer(incoming);
    if (key === '') return this.#bucket(request, response);
    if (request.method === 'PUT' || request.query.has('uploads')) this.#noteEncryption(request);
    if (request.query.has('uploads') || request.query.has('uploadId')) {
      return this.#multipart(request, body, response);
    }
    if (request.method === 'PUT') {
      this.objects.set(key, body);
      return response.writeHead(200, { ...this.atRest.get(key), etag: `"${hex(body)}"` }).end();
    }
    if (request.method === 'DELETE') {
      this.objects.delete(key);
      return response.writeHead(204).end();
    }
    return this.#read(request, response);
  }

  /** Of a part nothing is said: it is its upload's. */
  #noteEncryption({ key, query, headers }: S3Request): void {
    if (query.has('uploadId')) return;
    const sse = 'x-amz-server-side-encryption';
    const [kind, keyId] = [headers[sse], headers[`${sse}-aws-kms-key-id`] ?? 'default-key'];
    this.atRest.set(
      key,
      kind === undefined ? {} : { [sse]: String(kind), [`${sse}-aws-kms-key-id`]: String(keyId) },
    );
  }

  #read({ method, key, headers }: S3Request, response: ServerResponse): unknown {
    const object = this.objects.get(key);
    if (!object) return refuse(response, 404, 'NoSuchKey');
    const etag = `"${hex(object)}"`;
    if (headers['if-match'] && headers['if-match'] !== etag)
      return refuse(response, 412, 'PreconditionFailed');
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (from !== undefined && Number(from) >= object.length) return refuse(response, 416, 'InvalidRange');
    const start = Number(from ?? 0);
    const end = Math.min(to ? Number(to) : object.length - 1, object.length - 1);
    const part = object.subarray(start, end + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      ...this.atRest.get(key),
      etag,
      'content-length': part.length,
      ...(from !== undefined && { 'content-range': `bytes ${start}-${end}/${object.length}` }),
    });
    response.end(method === 'HEAD' ? undefined : part);
  }

  #multipart({ method, key, query }: S3Request, body: Buffer, response: ServerResponse): unknown {
    const id = query.get('uploadId') ?? '';
    if (query.has('uploads')) {
      this.#number += 1;
      this.uploads.set(`u${this.#number}`, { key, parts: new Map() });
      return xml(
        response,
        `<InitiateMultipartUploadResult><UploadId>u${this.#number}</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    const upload = this.uploads.get(id);
    if (!upload) return refuse(response, 404, 'NoSuchUpload');
    if (method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body);
      return response.writeHead(200, { etag: `"${hex(body)}"` }).end();
    }
    if (method === 'POST') {
      const whole = Buffer.concat([...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part));
      this.objects.set(key, whole);
      this.uploads.delete(id);
      return xml(
        response,
        `<CompleteMultipartUploadResult><ETag>"${hex(whole)}"</ETag></CompleteMultipartUploadResult>`,
      );
    }
    if (method === 'DELETE') {
      this.uploads.delete(id);
      return response.writeHead(204).end();
    }
    const parts = [...upload.parts].map(
      ([number, part]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>"${hex(part)}"</ETag><Size>${part.length}</Size></Part>`,
    );
    return xml(response, `<ListPartsResult>${parts.join('')}</ListPartsResult>`);
  }

  /** Two entries a page, so that every listing has several. */
  #bucket({ query }: S3Request, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    if (query.has('uploads')) {
      const after = query.get('upload-id-marker') ?? '';
      const all = [...this.uploads].filter(([id, { key }]) => key.startsWith(prefix) && id > after);
      const page = all.slice(0, 2);
      const last = page.at(-1);
      const entries = page.map(
        ([id, { key }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-01-01T00:00:00Z</Initiated></Upload>`,
      );
      const next = `<NextKeyMarker>${last?.[1].key}</NextKeyMarker><NextUploadIdMarker>${last?.[0]}</NextUploadIdMarker>`;
      const more = `<IsTruncated>${all.length > 2}</IsTruncated>${last ? next : ''}`;
      xml(response, `<ListMultipartUploadsResult>${more}${entries.join('')}</ListMultipartUploadsResult>`);
      return;
    }
    const begin = this.ignoresStartAfter ? '' : (query.get('start-after') ?? '');
    const after = query.get('continuation-token') ?? begin;
    const keys = [...this.objects.keys()].sort().filter((key) => key.startsWith(prefix) && key > after);
    const entries = keys.slice(0, 2).map((key) => {
      const object = this.objects.get(key) ?? Buffer.alloc(0);
      return `<Contents><Key>${key}</Key><Size>${object.length}</Size><ETag>"${hex(object)}"</ETag><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>`;
    });
    const more =
      keys.length > 2
        ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${keys[1]}</NextContinuationToken>`
        : '<IsTruncated>false</IsTruncated>';
    xml(response, `<ListBucketResult>${more}${entries.join('')}</ListBucketResult>`);
  }
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<Error><Code>${code}</Code></Error>`);
}

function xml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0"?>${body}`);
}
