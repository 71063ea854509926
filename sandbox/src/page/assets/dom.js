/**
 * An element with properties and children. Text is always set as text, never as markup: what the page shows comes from
 * task attributes and headers that others wrote.
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== 'list') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== undefined && child !== false));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Replaces what `parent` shows, only when `key` has changed: a reader's selection and scroll outlive the polling. */
export function show(parent, key, build) {
  if (parent.dataset.shows === key) return;
  parent.dataset.shows = key;
  parent.replaceChildren(...[build()].flat());
}

export function bytes(count) {
  if (count === undefined) return 'unknown size';
  if (count < 1000) return `${count} bytes`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}

export function clock(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? '' : at.toLocaleTimeString([], { hour12: false });
}

/** A SID, shortened to its prefix and its end; the whole of it on hover and to assistive technology. */
export function sid(value) {
  if (!value) return '';
  return h('abbr', { className: 'sid', title: value }, `${value.slice(0, 2)}…${value.slice(-6)}`);
}

/** Flex writes an agent's address into an identity that a URL can carry: `alice_40example_2Ecom`. */
export function person(identity) {
  return String(identity).replace(/_([0-9A-F]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const [hours, minutes, rest] = parts.map((part) => String(part).padStart(2, '0'));
  return hours === '00' ? `${Number(minutes)}:${rest} min` : `${Number(hours)}:${minutes}:${rest} h`;
}
