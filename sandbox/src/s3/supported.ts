import type { IncomingHttpHeaders } from 'node:http';
import { storageClasses } from '@flex-custody/core';
import { notImplemented } from './errors.ts';

/** What each request may ask for. Whatever is not here changes what S3 would do, and is refused: a silent 200 would be a lie. */
interface Supported {
  query: RegExp;
  headers: RegExp;
}

/** Signatures by query carry headers along. */
const anyQuery =
  'x-id|x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256)';
const anyHeader = 'content-sha256|date|security-token|user-agent|te|request-payer|id-2|request-id';
const body = 'decoded-content-length|trailer|sdk-checksum-algorithm|checksum-crc32';
const sealing = 'server-side-encryption(-aws-kms-key-id|-bucket-key-enabled)?|storage-class|meta-.+|acl';
const lock = 'object-lock-(mode|retain-until-date|legal-hold)';

const supported = (query: string, headers = ''): Supported => ({
  query: new RegExp(`^(${[query, anyQuery].filter(Boolean).join('|')})$`, 'i'),
  headers: new RegExp(`^x-amz-(${[headers, anyHeader].filter(Boolean).join('|')})$`),
});

const read = 'versionId|response-(content-type|content-disposition|cache-control|content-language|expires)';

const asks: Readonly<Record<string, Supported>> = {
  'HEAD bucket': supported(''),
  'GET bucket': supported(
    [
      'location|versioning|object-lock|versions|uploads|list-type|prefix|delimiter|encoding-type|max-keys|fetch-owner',
      'continuation-token|start-after|key-marker|version-id-marker|upload-id-marker|max-uploads',
    ].join('|'),
  ),
  'PUT bucket': supported('versioning|object-lock', `${body}|bucket-object-lock-enabled`),
  'HEAD object': supported(read),
  // Of an object that was stored without a checksum S3 answers none: SDKs ask each GET for it.
  'GET object': supported(
    `${read}|uploadId|max-parts|part-number-marker|retention|legal-hold`,
    'checksum-mode',
  ),
  'PUT object': supported(
    'uploadId|partNumber|retention|legal-hold|versionId',
    `${body}|${sealing}|${lock}|bypass-governance-retention|copy-source(-if-match|-range)?`,
  ),
  'POST object': supported('uploads|uploadId', `${body}|${sealing}|${lock}|checksum-(algorithm|type)`),
  'DELETE object': supported('uploadId|versionId', 'bypass-governance-retention'),
};

/** Values that mean what would be done anyway. */
const onlyAs: Readonly<Record<string, RegExp>> = {
  'x-amz-storage-class': new RegExp(`^(${storageClasses.join('|')})$`),
  'x-amz-acl': /^private$/,
  'x-amz-sdk-checksum-algorithm': /^CRC32$/,
  'x-amz-checksum-algorithm': /^CRC32$/,
  'x-amz-trailer': /^x-amz-checksum-crc32$/,
  'x-amz-server-side-encryption': /^(AES256|aws:kms|aws:kms:dsse)$/,
};

/** @throws S3Error 501 where the request asks for what is not done here */
export function requireSupported(
  method: string,
  key: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): void {
  const ask = `${method} ${key === '' ? 'bucket' : 'object'}`;
  const may = asks[ask];
  if (!may) throw notImplemented(ask);
  for (const name of query.keys()) if (!may.query.test(name)) throw notImplemented(`${ask} ?${name}`);
  if (query.has('delimiter') && !query.has('list-type')) throw notImplemented(`${ask} ?delimiter`);
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-')) continue;
    if (!may.headers.test(name) || onlyAs[name]?.test(String(value)) === false)
      throw notImplemented(`${ask} with ${name}`);
  }
}

/** What a store without versions and locks does not know, as Cloudflare R2 and a plain MinIO. */
export function requireUnversioned(query: URLSearchParams, headers: IncomingHttpHeaders): void {
  const asked =
    ['versions', 'versioning', 'versionId', 'object-lock', 'retention', 'legal-hold'].find((name) =>
      query.has(name),
    ) ?? Object.keys(headers).find((name) => name.startsWith('x-amz-object-lock-'));
  if (asked !== undefined) throw notImplemented(asked);
}
