/** What every subject is told about the world, by environment: the recording, the bucket, and where both are. */
const read = (name) => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};

export const world = () => ({
  mediaUrl: `https://api.twilio.com/2010-04-01/Accounts/${read('TWILIO_ACCOUNT_SID')}/Recordings/${read('BENCH_RECORDING')}.wav?RequestedChannels=2`,
  auth: { username: read('TWILIO_ACCOUNT_SID'), password: read('TWILIO_AUTH_TOKEN') },
  bucket: read('BENCH_BUCKET'),
  key: read('BENCH_KEY'),
  endpoint: read('AWS_ENDPOINT_URL_S3'),
  accessKeyId: read('AWS_ACCESS_KEY_ID'),
  secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
  region: read('AWS_REGION'),
});

/** Prints the one line that the runner reads: how long the copy took and what the process peaked at. */
export function report(startedAt, bytes) {
  const ms = performance.now() - startedAt;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(
    JSON.stringify({ ms, bytes, rssMb: maxRSS / 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }),
  );
}
