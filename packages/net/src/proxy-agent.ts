import type { Agent } from 'node:https';
import createProxyAgent from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';

const agents = new Map<string, Agent>();

/** Through the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY); undefined where there is none. */
export function proxyAgent(url: string): Agent | undefined {
  const proxy = getProxyForUrl(url);
  if (proxy === '') return undefined;
  const agent = agents.get(proxy) ?? (createProxyAgent(proxy) as unknown as Agent);
  agents.set(proxy, agent);
  return agent;
}
