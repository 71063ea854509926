const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/**
 * The host to which the database's rows and its password would be sent unencrypted; undefined if they are encrypted or stay on
 * this machine. As the driver reads it: `sslmode` and its kin in the URL, or PGSSLMODE.
 */
export async function inTheClear(url: string): Promise<string | undefined> {
  // Loaded only here, since the driver is large.
  const { default: pg } = await import('pg');
  const { host, ssl } = new pg.Client({ connectionString: url });
  return ssl || host.startsWith('/') || loopback.test(host) ? undefined : host;
}

export const encryptIt =
  'add ?sslmode=verify-full to DATABASE_URL (and &sslrootcert=FILE, if its certificate is from an authority of your own)';
