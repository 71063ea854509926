import type { Db } from '../../db/db.ts';
import type { ConnectorApiDeps } from '../operating.ts';
import { totalsOf } from '../totals.ts';
import type { BrevoConfig } from './config/brevo-config.ts';
import { createMapping } from './create-mapping.ts';
import { firstTotals, previewOf } from './preview.ts';

/**
 * For `connector explain`, by the connector's file as it is now.
 * @param settings reads the file, for each explanation; undefined where none is set
 */
export const brevoPreview =
  (db: Pick<Db, 'query'>, settings: () => BrevoConfig | undefined): ConnectorApiDeps['preview'] =>
  (values) => {
    const config = settings();
    if (!config?.enabled) return undefined;
    const mapping = createMapping(config);
    return async (interaction, customer) => {
      const totals = customer === undefined ? undefined : (await totalsOf(db, [customer])).get(customer);
      return previewOf(mapping, interaction, totals ?? firstTotals(interaction), values);
    };
  };
