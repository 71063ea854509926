export function world(): {
  mediaUrl: string;
  auth: { username: string; password: string };
  bucket: string;
  key: string;
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
};
export function report(startedAt: number, bytes: number): void;
