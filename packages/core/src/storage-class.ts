/**
 * The classes of S3 whose objects are read at once. The others are archives, which must restore an object first: no
 * recording could be verified or played. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
 */
export const storageClasses = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
] as const;

export type StorageClass = (typeof storageClasses)[number];
