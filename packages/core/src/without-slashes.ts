/** Without the slashes at its end. A regular expression for it takes time that grows with the square of a text's slashes. */
export function withoutSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}
