/** A queue's name without what nobody sees: Unicode NFC, one space for each run of blanks (no-break ones too), none at the ends. */
export function tidyQueue(name: string): string {
  return name.normalize('NFC').replace(/\s+/g, ' ').trim();
}

/** What queue names are compared by: the same in lower case. Editors and TaskRouter may write one name differently. */
export function queueKey(name: string): string {
  return tidyQueue(name).toLowerCase().normalize('NFC');
}
