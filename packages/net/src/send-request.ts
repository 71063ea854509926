import http from 'node:http';
import https from 'node:https';
import { sharedAgent } from './agents.ts';
import { type WholeAnswer, type WholeLimits, wholeAnswer } from './whole-answer.ts';

export interface RequestOptions extends WholeLimits {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  /** In place of the shared one. */
  agent?: http.Agent;
}

/**
 * One request and its whole answer, through the proxy that the environment names for the URL. No redirect is followed, and
 * every status is an answer.
 * @throws as {@link wholeAnswer}
 */
export async function sendRequest(url: string, options: RequestOptions): Promise<WholeAnswer> {
  return wholeAnswer(requestTo(url, options), options);
}

/** The request itself, not sent yet. */
export function requestTo(url: string, options: RequestOptions): http.ClientRequest {
  const { method = 'GET', headers = {}, body, agent = sharedAgent(url) } = options;
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const transport = url.startsWith('http:') ? http : https;
  return transport.request(url, { agent, method, headers: { ...headers, ...length } });
}
