import type { IntakeCatalog } from './intake-catalog.ts';
import type { KeepingCatalog } from './keeping-catalog.ts';
import type { LinkingCatalog } from './linking-catalog.ts';
import type { LookupCatalog } from './lookup-catalog.ts';
import type { Marks } from './marks.ts';
import type { OperatingCatalog } from './operating-catalog.ts';
import type { SealingCatalog } from './sealing-catalog.ts';

/** The whole catalog of one account. A room asks for the interfaces that it uses; the code that puts rooms together uses this one. */
export type Catalog = LookupCatalog &
  IntakeCatalog &
  LinkingCatalog &
  KeepingCatalog &
  SealingCatalog &
  OperatingCatalog &
  Marks;
