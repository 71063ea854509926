import { recordings } from './001-recordings.ts';
import { alarmIds } from './002-alarm-ids.ts';
import { reportsAndPauses } from './003-reports-and-pauses.ts';
import { keeping } from './004-keeping.ts';
import { completedSources } from './005-completed-sources.ts';
import { proof } from './006-proof.ts';
import { custody } from './007-custody.ts';
import { unsignedSidecars } from './008-unsigned-sidecars.ts';
import { identitiesAndPendingReports } from './009-identities-and-pending-reports.ts';
import { whoCopied } from './010-who-copied.ts';
import { liveCalls } from './011-live-calls.ts';
import { policies } from './012-policies.ts';
import { imports } from './013-imports.ts';
import { resumedRuns } from './014-resumed-runs.ts';
import { erasureIntents } from './015-erasure-intents.ts';
import { repeatedRefusals } from './016-repeated-refusals.ts';
import { repairedImports } from './017-repaired-imports.ts';
import { tracesOfCalls } from './018-traces-of-calls.ts';
import { setAside } from './019-set-aside.ts';
import { tallies } from './020-tallies.ts';
import { inventoryKeys } from './021-inventory-keys.ts';
import { auditSubjects } from './022-audit-subjects.ts';
import { alarmWebhooks } from './023-alarm-webhooks.ts';
import { secrets } from './024-secrets.ts';
import { dataSource } from './025-data-source.ts';
import { inbox } from './026-inbox.ts';
import { shardLeases } from './027-shard-leases.ts';
import { sessions } from './028-sessions.ts';
import { shortCalls } from './029-short-calls.ts';
import { nodesAndNews } from './030-nodes-and-news.ts';
import { segmentReasons } from './031-segment-reasons.ts';
import { connectors } from './032-connectors.ts';

/** Ordered and only ever appended to: the number of a migration is its place in the list, from 1. */
export const migrations: readonly string[] = [
  recordings,
  alarmIds,
  reportsAndPauses,
  keeping,
  completedSources,
  proof,
  custody,
  unsignedSidecars,
  identitiesAndPendingReports,
  whoCopied,
  liveCalls,
  policies,
  imports,
  resumedRuns,
  erasureIntents,
  repeatedRefusals,
  repairedImports,
  tracesOfCalls,
  setAside,
  tallies,
  inventoryKeys,
  auditSubjects,
  alarmWebhooks,
  secrets,
  dataSource,
  inbox,
  shardLeases,
  sessions,
  shortCalls,
  nodesAndNews,
  segmentReasons,
  connectors,
];
