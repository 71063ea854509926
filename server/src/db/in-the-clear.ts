const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/**
 * The host to which the database's rows, and its password, would go unencrypted; undefined where they are encrypted or stay on this
 * machine. As the driver reads it: `sslmode` and its kin in the URL, else PGSSLMODE.
 */
export async function inTheClear(url: string): Promise<string | undefined> {
  // Only where it is used: the driver is heavy.
  const { default: pg } = await import('pg');
  const { host, ssl } = new pg.Client({ connectionString: url });
  return ssl || host.startsWith('/') || loopback.test(host) ? undefined : host;
}

export const encryptIt =
  'add ?sslmode=verify-full to DATABASE_URL (and &sslrootcert=FILE, where its certificate is of an authority of your own)';
