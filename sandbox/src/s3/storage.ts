import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { noSuchUpload, S3Error } from './errors.ts';

/** Bytes of an object lie in one file, or in as many as it had parts; they are never joined. */
interface Segment {
  file: string;
  bytes: number;
}

export interface Version {
  key: string;
  versionId: string;
  etag: string;
  bytes: number;
  /** Epoch ms. */
  lastModified: number;
  deleteMarker: boolean;
  /** What is given back as it came: content type, user metadata, encryption, storage class. */
  headers: Record<string, string>;
  segments: Segment[];
  /** Absent where nothing ever locked it. */
  lock?: Lock;
}

export type LockMode = 'GOVERNANCE' | 'COMPLIANCE';

/** Object Lock: until when a version stays, epoch ms, and whether a legal hold is on it. */
export interface Lock {
  mode?: LockMode | undefined;
  until?: number | undefined;
  legalHold?: boolean;
}

/** What locks each new version of a bucket that asks for nothing else. */
export interface DefaultRetention {
  mode: LockMode;
  unit: 'Days' | 'Years';
  count: number;
}

export interface Part {
  number: number;
  etag: string;
  bytes: number;
  lastModified: number;
  file: string;
}

export interface Upload {
  uploadId: string;
  key: string;
  startedAt: number;
  headers: Record<string, string>;
  lock?: Lock;
  parts: Map<number, Part>;
}

export type Versioning = 'Enabled' | 'Suspended' | undefined;

/**
 * One bucket in one directory: `objects/<hash of the key>/<version>.json` beside the version's bytes, `uploads/<id>/`
 * for what is not finished. Its objects are found again at the next start; unfinished uploads are not.
 */
export class Bucket {
  versioning: Versioning = 'Enabled';
  /** Whether versions can be locked. */
  locks = false;
  defaultRetention: DefaultRetention | undefined;
  readonly uploads = new Map<string, Upload>();
  readonly #objects = new Map<string, Version[]>();

  private constructor(
    readonly name: string,
    private readonly directory: string,
    /** Epoch ms; the store's own clock. */
    readonly now: () => number,
  ) {}

  static async open(name: string, directory: string, now: () => number = Date.now): Promise<Bucket> {
    const bucket = new Bucket(name, directory, now);
    await rm(join(directory, 'uploads'), { recursive: true, force: true });
    await mkdir(join(directory, 'objects'), { recursive: true });
    await mkdir(join(directory, 'uploads'), { recursive: true });
    for (const folder of await readdir(join(directory, 'objects'))) {
      const files = await readdir(join(directory, 'objects', folder));
      for (const file of files.filter((one) => one.endsWith('.json'))) {
        const text = await readFile(join(directory, 'objects', folder, file), 'utf8');
        const version = JSON.parse(text) as Version;
        bucket.#objects.set(version.key, [...(bucket.#objects.get(version.key) ?? []), version]);
      }
    }
    for (const versions of bucket.#objects.values()) versions.sort((a, b) => b.lastModified - a.lastModified);
    return bucket;
  }

  /** A path for bytes that are still arriving. */
  temporary(): string {
    return join(this.directory, 'uploads', `incoming-${randomBytes(8).toString('hex')}`);
  }

  /** The newest version, a delete marker included. */
  newest(key: string): Version | undefined {
    return this.#objects.get(key)?.[0];
  }

  version(key: string, versionId: string): Version | undefined {
    return this.#objects.get(key)?.find((one) => one.versionId === versionId);
  }

  exists(key: string): boolean {
    const newest = this.newest(key);
    return newest !== undefined && !newest.deleteMarker;
  }

  /** Current objects by key. */
  current(prefix: string): Version[] {
    const found = [...this.#objects.values()].flatMap(([newest]) =>
      newest && !newest.deleteMarker && newest.key.startsWith(prefix) ? [newest] : [],
    );
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Every version and delete marker, by key, the newest first. */
  all(prefix: string): Version[] {
    return [...this.#objects.values()]
      .filter(([newest]) => newest?.key.startsWith(prefix))
      .sort(([a], [b]) => ((a?.key ?? '') < (b?.key ?? '') ? -1 : 1))
      .flat();
  }

  async put(
    facts: Pick<Version, 'key' | 'etag' | 'headers'> & { deleteMarker?: boolean; lock?: Lock | undefined },
    files: readonly Segment[],
  ): Promise<Version> {
    const versionId = this.versioning === 'Enabled' ? randomBytes(16).toString('hex') : 'null';
    const folder = this.#folder(facts.key);
    await mkdir(folder, { recursive: true });
    if (versionId === 'null') await this.remove(facts.key, 'null');
    const segments: Segment[] = [];
    for (const [index, segment] of files.entries()) {
      const file = join(folder, `${versionId}.${index}`);
      await rename(segment.file, file);
      segments.push({ file, bytes: segment.bytes });
    }
    const { lock, ...rest } = facts;
    const version: Version = {
      ...rest,
      ...(lock && { lock }),
      versionId,
      deleteMarker: facts.deleteMarker ?? false,
      bytes: segments.reduce((sum, one) => sum + one.bytes, 0),
      lastModified: this.now(),
      segments,
    };
    await writeFile(join(folder, `${versionId}.json`), JSON.stringify(version));
    this.#objects.set(facts.key, [version, ...(this.#objects.get(facts.key) ?? [])]);
    return version;
  }

  /** Changes what keeps a version from being deleted. */
  async setLock(version: Version, lock: Lock): Promise<void> {
    version.lock = { ...version.lock, ...lock };
    await writeFile(join(this.#folder(version.key), `${version.versionId}.json`), JSON.stringify(version));
  }

  /** Removes one version for good. */
  async remove(key: string, versionId: string): Promise<Version | undefined> {
    const version = this.version(key, versionId);
    if (!version) return undefined;
    const others = (this.#objects.get(key) ?? []).filter((one) => one !== version);
    if (others.length > 0) this.#objects.set(key, others);
    else this.#objects.delete(key);
    await rm(join(this.#folder(key), `${versionId}.json`), { force: true });
    for (const segment of version.segments) await rm(segment.file, { force: true });
    return version;
  }

  read(version: Version, start: number, end: number): Readable {
    return Readable.from(readSegments(version.segments, start, end), {
      objectMode: false,
      highWaterMark: 256 * 1024,
    });
  }

  async begin(key: string, headers: Record<string, string>, lock: Lock | undefined): Promise<Upload> {
    const upload: Upload = {
      ...(lock && { lock }),
      uploadId: randomBytes(16).toString('hex'),
      key,
      startedAt: this.now(),
      headers,
      parts: new Map(),
    };
    await mkdir(join(this.directory, 'uploads', upload.uploadId));
    this.uploads.set(upload.uploadId, upload);
    return upload;
  }

  upload(key: string, uploadId: string): Upload {
    const upload = this.uploads.get(uploadId);
    if (upload?.key !== key) throw noSuchUpload();
    return upload;
  }

  async addPart(upload: Upload, number: number, incoming: Segment, etag: string): Promise<void> {
    if (!this.uploads.has(upload.uploadId)) throw noSuchUpload();
    const file = join(
      this.directory,
      'uploads',
      upload.uploadId,
      `${number}-${randomBytes(4).toString('hex')}`,
    );
    await rename(incoming.file, file);
    const before = upload.parts.get(number);
    upload.parts.set(number, { number, etag, bytes: incoming.bytes, lastModified: this.now(), file });
    if (before) await rm(before.file, { force: true });
  }

  async complete(upload: Upload, asked: readonly { number: number; etag: string }[]): Promise<Version> {
    const parts = asked.map(({ number, etag }) => {
      const part = upload.parts.get(number);
      if (!part || part.etag.replaceAll('"', '') !== etag.replaceAll('"', ''))
        throw new S3Error(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
      return part;
    });
    if (parts.some((part, index) => index > 0 && part.number <= (parts[index - 1]?.number ?? 0)))
      throw new S3Error(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
    if (parts.slice(0, -1).some((part) => part.bytes < 5 * 1024 * 1024))
      throw new S3Error(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    const digest = createHash('md5');
    for (const part of parts) digest.update(Buffer.from(part.etag.replaceAll('"', ''), 'hex'));
    const etag = `"${digest.digest('hex')}-${parts.length}"`;
    this.uploads.delete(upload.uploadId);
    const version = await this.put(
      { key: upload.key, etag, headers: upload.headers, lock: upload.lock },
      parts,
    );
    await rm(join(this.directory, 'uploads', upload.uploadId), { recursive: true, force: true });
    return version;
  }

  async abort(upload: Upload): Promise<void> {
    this.uploads.delete(upload.uploadId);
    await rm(join(this.directory, 'uploads', upload.uploadId), { recursive: true, force: true });
  }

  /** Keys may hold anything and be long; folder names may not. */
  #folder(key: string): string {
    return join(this.directory, 'objects', createHash('sha256').update(key).digest('hex'));
  }
}

async function* readSegments(
  segments: readonly Segment[],
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  let at = 0;
  for (const { file, bytes } of segments) {
    const from = Math.max(start, at);
    const to = Math.min(end, at + bytes - 1);
    if (from <= to) {
      const options = { start: from - at, end: to - at, highWaterMark: 256 * 1024 };
      for await (const chunk of createReadStream(file, options)) yield chunk as Buffer;
    }
    at += bytes;
  }
}
