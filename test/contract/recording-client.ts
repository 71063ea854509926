import { readFile } from 'node:fs/promises';
import HttpsProxyAgent from 'https-proxy-agent';
import twilio from 'twilio';
import type { Sandbox } from '../../sandbox/src/index.ts';
import type { Exchange } from './openapi.ts';

/** Twilio's own SDK, through the proxy, with every exchange kept. */
export async function recordingClient(sandbox: Sandbox, exchanges: Exchange[] = []) {
  const ca = await readFile(sandbox.env['NODE_EXTRA_CA_CERTS'] ?? '');
  const agent = HttpsProxyAgent(sandbox.env['HTTPS_PROXY'] ?? '');
  const tunnel = agent.callback;
  agent.callback = (request, options) => tunnel.call(agent, request, { ...options, ca } as typeof options);
  const httpClient = new twilio.RequestClient();
  httpClient.axios.defaults.httpsAgent = agent;
  httpClient.axios.interceptors.response.use((response) => {
    const { method = 'get', url = '', params, data } = response.config;
    const full = new URL(url);
    for (const [name, value] of Object.entries((params ?? {}) as object))
      full.searchParams.set(name, String(value));
    // Of a body that is JSON Twilio describes no field.
    const isForm = !String(response.config.headers['Content-Type']).startsWith('application/json');
    const form = Object.fromEntries(new URLSearchParams(isForm && typeof data === 'string' ? data : ''));
    const body: unknown = response.data;
    exchanges.push({ method: method.toUpperCase(), url: full, form, status: response.status, body });
    return response;
  });
  const { accountSid, authToken } = sandbox.account;
  return twilio(accountSid, authToken, { httpClient });
}
