/** What the browser's `fetch` is to us. */
export type Fetch = (
  url: string,
  init: { method: string; headers?: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<{ status: number; text(): Promise<string> }>;

/** An answer, whatever its status, or why there was none. */
export type HttpResult =
  | { answered: true; status: number; body: unknown }
  | { answered: false; why: 'timeout' | 'offline' };

export const timeoutMs = 8_000;

/** Never throws. The time-out covers the body too; a body that is no JSON is undefined. */
export async function request(
  fetch: Fetch,
  url: string,
  init: { method: string; headers?: Record<string, string>; body?: string },
  timeout = timeoutMs,
): Promise<HttpResult> {
  const stop = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<HttpResult>((resolve) => {
    timer = setTimeout(() => {
      resolve({ answered: false, why: 'timeout' });
      stop.abort();
    }, timeout);
  });
  const asked = (async (): Promise<HttpResult> => {
    try {
      const response = await fetch(url, { ...init, signal: stop.signal });
      const text = await response.text();
      return { answered: true, status: response.status, body: parsed(text) };
    } catch {
      return { answered: false, why: 'offline' };
    }
  })();
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
