import type { Audit } from '../access/audit.ts';
import { brevoName } from '../connectors/brevo/brevo-crm.ts';
import { type BrevoSettings, openBrevoConfig } from '../connectors/brevo/config/open.ts';
import { brevoPreview } from '../connectors/brevo/operating.ts';
import { type ConnectorApi, createConnectorApi } from '../connectors/operating.ts';
import type { Db } from '../db/db.ts';

/** What operators do with the connector, in a host and at the command line. */
export const openConnectorApi = (db: Db, audit: Audit, config: BrevoSettings): ConnectorApi =>
  createConnectorApi({
    ...{ db, audit, connector: brevoName },
    preview: brevoPreview(db, () => openBrevoConfig(config, { needsKey: false })),
  });
