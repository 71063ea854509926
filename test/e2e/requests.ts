import type { Page } from 'playwright-core';

/** A request as it went over the wire: preflights too, which a page itself never sees. */
export interface Seen {
  method: string;
  url: URL;
  /** Ms of this process's clock. */
  at: number;
  range?: string;
  authorization?: string;
  status?: number;
  contentRange?: string;
}

/** Writes down what Chromium's network asks for from now on, in order. */
export async function watchRequests(page: Page): Promise<Seen[]> {
  const seen: Seen[] = [];
  const byId = new Map<string, Seen>();
  const session = await page.context().newCDPSession(page);
  const headers = (all: Record<string, string>, name: string) =>
    Object.entries(all).find(([key]) => key.toLowerCase() === name)?.[1];
  session.on('Network.requestWillBeSent', ({ requestId, request }) => {
    const one: Seen = { method: request.method, url: new URL(request.url), at: Date.now() };
    byId.set(requestId, one);
    seen.push(one);
    addHeaders(one, request.headers);
  });
  // What the network adds itself (the range that a media element asks for) is told apart from what the page set.
  session.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers: sent }) => {
    const one = byId.get(requestId);
    if (one) addHeaders(one, sent);
  });
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const one = byId.get(requestId);
    if (!one) return;
    one.status = response.status;
    const contentRange = headers(response.headers, 'content-range');
    if (contentRange !== undefined) one.contentRange = contentRange;
  });
  const addHeaders = (one: Seen, sent: Record<string, string>) => {
    const range = headers(sent, 'range');
    const authorization = headers(sent, 'authorization');
    if (range !== undefined) one.range = range;
    if (authorization !== undefined) one.authorization = authorization;
  };
  await session.send('Network.enable');
  return seen;
}
