import type { IntakeCatalog } from './intake-catalog.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import type { LinkingCatalog } from './linking-catalog.ts';
import type { LookupCatalog } from './lookup-catalog.ts';
import type { Marks } from './marks.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { SealingCatalog } from './sealing-catalog.ts';

/** The whole catalog of one account. Rooms ask for the interfaces that they use; this is for what puts rooms together. */
export type Catalog = LookupCatalog &
  IntakeCatalog &
  LinkingCatalog &
  KeepingCatalog &
  SealingCatalog &
  OperatingCatalog &
  Marks;
