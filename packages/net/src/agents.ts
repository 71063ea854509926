import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import { getProxyForUrl } from 'proxy-from-env';
import { isPrivateHost, notPublic, publicLookup } from './public-address.ts';
import { hostOf, openTunnel, proxyAuthorization } from './tunnel.ts';

/** A target that has no connection by then is not reached. */
const TUNNEL_MS = 5_000;

export type AgentOptions = https.AgentOptions & {
  /** Of a connection through a proxy, until TLS to the target is agreed; 5,000 by default. */
  tunnelMs?: number;
  /**
   * Refuses what is not on the public Internet, by the address that is connected to. A proxy resolves names itself: for what
   * is sent through one, only addresses in the URL are refused, and localhost.
   */
  publicOnly?: boolean;
};

const withLookup = ({ publicOnly = false, ...options }: AgentOptions): https.AgentOptions =>
  publicOnly ? { ...options, lookup: publicLookup(options.lookup) } : options;

/** @returns why the target is refused before its name is resolved; undefined where it is not */
const refusalOf = ({ publicOnly = false }: AgentOptions, { host }: Target): Error | undefined =>
  publicOnly && isPrivateHost(host ?? '') ? notPublic(host ?? '') : undefined;

type Created = (error: Error | null, socket?: Duplex) => void;
type Target = http.ClientRequestArgs & { servername?: string };

/**
 * An agent that takes each connection through the proxy which the environment names for its target: HTTPS_PROXY, HTTP_PROXY,
 * ALL_PROXY and NO_PROXY, in small letters too. Connections are kept and used again, through a proxy as without one.
 */
export function createAgent(protocol: 'http:' | 'https:', options: AgentOptions = {}): http.Agent {
  return protocol === 'https:' ? new SecureAgent(options) : new PlainAgent(options);
}

let secure: https.Agent | undefined;
let plain: http.Agent | undefined;
/** As Node's own default agents: a server that closes what is idle must not meet a request on its way. */
const SHARED = { keepAlive: true, scheduling: 'lifo', timeout: 5_000 } as const;

/** For requests that need no pool of their own. */
export function sharedAgent(url: string): http.Agent {
  if (url.startsWith('http:')) {
    plain ??= createAgent('http:', SHARED);
    return plain;
  }
  secure ??= new SecureAgent(SHARED);
  return secure;
}

/** The shared agent where the environment names a proxy for a URL; undefined where it names none. */
export function proxyAgent(url: string): https.Agent | undefined {
  return getProxyForUrl(url) === '' ? undefined : (sharedAgent(url) as https.Agent);
}

class SecureAgent extends https.Agent {
  readonly #tunnelMs: number;
  readonly #options: AgentOptions;

  constructor({ tunnelMs = TUNNEL_MS, ...options }: AgentOptions) {
    super(withLookup(options));
    this.#tunnelMs = tunnelMs;
    this.#options = options;
  }

  override createConnection(target: Target, created: Created): Duplex | undefined {
    const refusal = refusalOf(this.#options, target);
    if (refusal) return void created(refusal);
    const proxy = proxyFor('https:', target);
    if (proxy === '') return connectTls(this, target);
    this.#throughProxy(proxy, target).then((socket) => created(null, socket), created);
    return undefined;
  }

  async #throughProxy(proxy: string, target: Target): Promise<Duplex> {
    const begun = performance.now();
    const address = `${target.host}:${target.port ?? 443}`;
    const socket = await openTunnel(urlOf(proxy), address, this.#tunnelMs);
    const left = Math.max(1, this.#tunnelMs - (performance.now() - begun));
    const secured = connectTls(this, { ...target, socket } as Target);
    // TLS on top of a socket does not close what is below it.
    secured.once('close', () => socket.destroy());
    return agreed(secured, address, left);
  }
}

class PlainAgent extends http.Agent {
  readonly #options: AgentOptions;

  constructor({ tunnelMs: _, ...options }: AgentOptions) {
    super(withLookup(options));
    this.#options = options;
  }

  /** A proxy is sent the whole URL, as HTTP has it (RFC 9112, section 3.2.2). */
  addRequest(request: http.ClientRequest, target: Target): void {
    const proxy = proxyFor('http:', target);
    if (proxy !== '') {
      request.path = `http://${authorityOf('http:', target)}${request.path}`;
      const sent = request as unknown as {
        _header: string | null;
        _implicitHeader(): void;
        outputData: Sent[];
      };
      const isWritten = sent._header !== null;
      // A request that waits for leave to send its body has written its head already: it is written once more.
      const [first] = sent.outputData;
      const end = isWritten && first ? first.data.slice(first.data.indexOf('\r\n\r\n') + 4) : '';
      sent._header = null;
      for (const [name, value] of Object.entries(proxyAuthorization(urlOf(proxy))))
        request.setHeader(name, value);
      if (isWritten) sent._implicitHeader();
      if (first) first.data = `${sent._header ?? ''}${end}`;
    }
    (
      http.Agent.prototype as unknown as { addRequest: typeof PlainAgent.prototype.addRequest }
    ).addRequest.call(this, request, target);
  }

  override createConnection(target: Target, created: Created): Duplex | undefined {
    const refusal = refusalOf(this.#options, target);
    if (refusal) return void created(refusal);
    const proxy = proxyFor('http:', target);
    if (proxy === '') return net.connect(target as net.NetConnectOpts);
    try {
      const url = urlOf(proxy);
      const at = { host: hostOf(url), port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) };
      return url.protocol === 'https:' ? tls.connect({ ...at, servername: at.host }) : net.connect(at);
    } catch (error) {
      created(error as Error);
      return undefined;
    }
  }
}

interface Sent {
  data: string;
}

/** TLS as https.Agent makes it, which remembers sessions. */
function connectTls(agent: https.Agent, target: Target): tls.TLSSocket {
  const create = https.Agent.prototype.createConnection as unknown as (target: Target) => tls.TLSSocket;
  return create.call(agent, target);
}

function agreed(socket: tls.TLSSocket, address: string, ms: number): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const error = new Error(`no TLS with ${address} through the proxy in time`);
      socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
    }, ms);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', closed);
      resolve(socket);
    });
    socket.once('close', closed);
    function closed() {
      fail(Object.assign(new Error(`${address} closed the connection`), { code: 'ECONNRESET' }));
    }
    function fail(error: Error) {
      clearTimeout(timer);
      reject(error);
    }
  });
}

function proxyFor(protocol: 'http:' | 'https:', target: Target): string {
  return getProxyForUrl(`${protocol}//${authorityOf(protocol, target)}`);
}

function authorityOf(protocol: 'http:' | 'https:', { host, port }: Target): string {
  const name = host?.includes(':') ? `[${host}]` : (host ?? 'localhost');
  const isDefault = port == null || Number(port) === (protocol === 'https:' ? 443 : 80);
  return isDefault ? name : `${name}:${port}`;
}

/** @throws an error that says what is wrong with the setting, without its password */
function urlOf(proxy: string): URL {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new Error('HTTPS_PROXY, HTTP_PROXY and ALL_PROXY take http://host:port or https://host:port');
}
