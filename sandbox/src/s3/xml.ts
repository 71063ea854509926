/** Text of an element: what XML forbids is escaped, control characters included, as S3 does. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"'\r\n\t]/g, (character) => `&#${character.codePointAt(0)};`);
}

type Content = string | number | boolean | undefined | readonly Element[];
export type Element = readonly [name: string, content: Content];

function render([name, content]: Element): string {
  if (content === undefined) return '';
  const inner = typeof content === 'object' ? content.map(render).join('') : escapeText(String(content));
  return `<${name}>${inner}</${name}>`;
}

export function document(name: string, content: readonly Element[]): string {
  const namespace = name === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${namespace}>${content.map(render).join('')}</${name}>`;
}

/** Every `<name>…</name>` of a request's body; enough for the two small documents that S3 clients send. */
export function elements(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'));
  return [...found].map((match) => match[1] ?? '');
}

export function unescapeText(text: string): string {
  const named: Record<string, string> = { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" };
  return text.replace(/&(?:#(\d+)|(\w+));/g, (all, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? all) : String.fromCodePoint(Number(code)),
  );
}
