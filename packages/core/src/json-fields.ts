/** The fields of the JSON object that a text is; none where it is no JSON, or no object. Nothing of them is checked yet. */
export function jsonFields(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
