/**
 * A queue's name without invisible differences: Unicode NFC, one space for each run of blanks (no-break ones too), none
 * at the ends.
 */
export function tidyQueue(name: string): string {
  return name.normalize('NFC').replace(/\s+/g, ' ').trim();
}

/** The key by which queue names are compared: the tidy name in lower case. Editors and TaskRouter may write one name differently. */
export function queueKey(name: string): string {
  return tidyQueue(name).toLowerCase().normalize('NFC');
}
