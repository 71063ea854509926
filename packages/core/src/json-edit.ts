/** Names of members, from the document's own object inwards. */
export type JsonPath = readonly string[];

/** An item of a list: one that is there, by its index, whose text stays; or one of our own. */
export type JsonItem = { kept: number } | { put: unknown };

/**
 * One change to a JSON document of another owner: what the change does not name stays to the character. On the way
 * to the member, what is absent or no object becomes an object.
 */
export type JsonEdit =
  /** Sets the member; undefined takes it away. */
  | { path: JsonPath; value: unknown }
  /** Makes the member the list of these items. */
  | { path: JsonPath; items: readonly JsonItem[] };
