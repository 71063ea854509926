const KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** 1 to 100 of A-Z a-z 0-9 . _ - beginning with a letter or digit: what may name a key. */
export function isKeyId(id: string): boolean {
  return KEY_ID.test(id);
}
