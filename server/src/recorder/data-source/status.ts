import type { StatusPart, StatusRow } from '../../events/status-part.ts';
import { isAssigned } from './assigned.ts';
import type { DataSourceReader } from './data-source.ts';
import type { DataSource } from './fields.ts';
import { aliveSeconds } from './nodes.ts';
import { readSettings } from './read.ts';

/** What the settings call this recorder. */
export const labels = (dataSource: DataSourceReader): StatusPart => ({
  name: 'labels',
  title: 'Data source',
  columns: {
    ...{ version: 'VERSION', tenant: 'TENANT', siteGroup: 'SITE GROUP', site: 'SITE', server: 'SERVER' },
  },
  async read() {
    const current = await dataSource.current();
    if (!current) return [];
    const { tenant = null, siteGroup = null, site = null, server = null } = current.settings;
    return [{ version: current.version, tenant, siteGroup, site, server }];
  },
});

interface Seen {
  node: string;
  since: Date;
  seenAt: Date;
  isAlive: boolean;
}

/** The nodes that the settings name, and those that run; without an assignment every node has the duty. */
export const assignedNodes = (dataSource: DataSourceReader): StatusPart => ({
  name: 'assignedNodes',
  title: 'Nodes, as the data source assigns them',
  columns: {
    ...{ node: 'NODE', state: 'STATE', events: 'FOLLOWS EVENTS', audio: 'TAKES LIVE AUDIO' },
    ...{ since: 'RUNS SINCE', seenAt: 'LAST SEEN' },
  },
  async read(db) {
    const seen = await db.query<Seen>(
      `SELECT node, since, seen_at AS "seenAt", seen_at > now() - interval '${aliveSeconds} seconds' AS "isAlive"
       FROM recorder_nodes ORDER BY node`,
    );
    return rowsOf((await dataSource.current())?.settings ?? readSettings({}).settings, seen);
  },
});

function rowsOf(settings: DataSource, seen: readonly Seen[]): StatusRow[] {
  const { integrationNode, redundantPair, captureNodes } = settings;
  const following = integrationNode === undefined ? 'one of the pair' : 'integration node';
  const named = [...(integrationNode === undefined ? [] : [integrationNode]), ...(redundantPair ?? [])];
  const alive = seen.filter(({ isAlive }) => isAlive).map(({ node }) => node);
  const nodes = [...new Set([...named, ...(captureNodes ?? []), ...alive])].sort();
  return nodes.map((node) => {
    const one = seen.find((other) => other.node === node);
    const duty = (isNamed: boolean, as: string, kind: 'events' | 'audio') => {
      if (isNamed) return as;
      return isAssigned(settings, node, kind) ? 'as every node' : 'no';
    };
    return {
      node,
      state: one ? (one.isAlive ? 'alive' : 'not running') : 'never seen',
      events: duty(named.includes(node), following, 'events'),
      audio: duty(captureNodes?.includes(node) ?? false, 'capture node', 'audio'),
      since: one?.isAlive ? one.since : null,
      seenAt: one?.seenAt ?? null,
    };
  });
}
