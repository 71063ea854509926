import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { agentEventControls } from './agent-events/controls.ts';
import { createEventStreams, type EventStreams } from './agent-events/send.ts';
import { textControls } from './agent-events/text-controls.ts';
import { watchLiveCalls } from './agent-events/watch.ts';
import { type Brevo, brevoControls, brevoRoutes, startBrevo } from './brevo/index.ts';
import { type Bucket, lookInto, type S3Access } from './bucket.ts';
import { type Courier, createCourier } from './callbacks.ts';
import { createSwitchboard, type Switchboard } from './calls.ts';
import { brevoHost, makeCertificates } from './certificates.ts';
import { controlRoutes } from './controls.ts';
import { type Desktop, desktopRoutes } from './desktop/index.ts';
import { createEventLog, type EventLog } from './events.ts';
import { createFaults, type Faults } from './faults.ts';
import { type OwnKms, startKms } from './kms/index.ts';
import { liveControlRoutes } from './live/controls.ts';
import { createExchange, type Exchange } from './live/exchange.ts';
import { createLegs } from './live/legs.ts';
import { openMediaFile } from './media.ts';
import { region, startOwnS3 } from './own-s3.ts';
import { pageRoutes } from './page/index.ts';
import { type Operators, recorderRoute } from './page/recorder.ts';
import { startProxy } from './proxy.ts';
import { buildRest, listenRest } from './rest/app.ts';
import { startVeridas, veridasAudioUrl, veridasRoutes } from './veridas/index.ts';
import { createWorld, type World } from './world.ts';

export interface SandboxOptions {
  /** Port of the start page and the controls; 0 = a free one. */
  port: number;
  /** Certificates, the bucket and uploaded WAVs lie here. */
  dataDir: string;
  /** The Functions' address as Twilio calls and signs it: https://flex-custody-4200-dev.twil.io */
  functionsBaseUrl: string;
  /** Where that address is reached: http://127.0.0.1:4200 */
  functionsOrigin: string;
  /** Where a browser reaches the custody host. */
  publicHostUrl: string;
  /** The custody host's listener for operators, which says what its recorder knows. */
  operators?: Operators;
  bucket?: string;
  /** An S3 to use instead of the sandbox's own. */
  s3?: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  /** The sandbox's own folder, with media/. Default: `sandbox` below the current directory. */
  root?: string;
  /** Receives what happens, one JSON line at a time. */
  log?: (line: string) => void;
  /** The Flex desktop: the checkout with its plugins, which of them, and whether what is missing is built. */
  flex?: { root?: string; plugins?: readonly string[]; build?: boolean };
}

export interface Sandbox {
  url: string;
  account: { accountSid: string; authToken: string; workspaceSid: string };
  s3: S3Access;
  /** AWS's key service; it takes the bucket's credentials. */
  kms: OwnKms;
  /** The private half of the public key for which Twilio seals recordings: PEM, as the host reads it. */
  recordingKeyFile: string;
  /** The biometrics' vendor, as the Functions' environment names it. */
  veridas: {
    tokenUrl: string;
    /** PEM of the authority that signed its certificate; a client must be given it. */
    ca: string;
    clientId: string;
    clientSecret: string;
    audioUrl: string;
  };
  /** The customer's CRM, as a client that goes through the proxy reaches it. */
  brevo: {
    /** https://api.brevo.com/v3 */
    apiUrl: string;
    /** The same account without TLS and without the proxy. */
    localUrl: string;
    apiKey: string;
    account: Brevo;
  };
  /** What a client process needs in its environment to reach this world as it would reach the real one. */
  env: Record<string, string>;
  twilio: {
    world: World;
    faults: Faults;
    events: EventLog;
    courier: Courier;
    switchboard: Switchboard;
    bucket: Bucket;
    exchange: Exchange;
    desktop: Desktop;
    eventStreams: EventStreams;
  };
  close(): Promise<void>;
}

const brevoLocalPath = '/brevo/v3';

/** The outside world on one machine: Twilio behind a proxy, an S3, and the controls for both. Loopback only. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const root = resolve(options.root ?? 'sandbox');
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true });
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const world = createWorld();
    const recordingKeyFile = join(dataDir, 'twilio-recordings.pem');
    const { recordingKey } = world;
    await writeFile(recordingKeyFile, `# key id: ${recordingKey.sid}\n${recordingKey.privateKey}`, {
      mode: 0o600,
    });
    const faults = createFaults();
    const events = createEventLog(options.log);
    const certificates = await makeCertificates(dataDir);

    const eventStreams = createEventStreams({ world, events });
    closers.push(() => eventStreams.close());
    const rest = buildRest({ world, faults, events, testSink: eventStreams.test }, certificates);
    closers.push(() => rest.close());
    const brevo = await startBrevo({ certificates });
    closers.push(() => brevo.close());
    const proxy = await startProxy(
      await listenRest(rest),
      (target) => events.emit('proxy.refused', { target }),
      { [brevoHost]: brevo.port },
    );
    closers.push(() => proxy.close());

    const bucketName = options.bucket ?? 'custody';
    const s3: S3Access = options.s3
      ? {
          ...options.s3,
          region,
          bucket: bucketName,
          identities: {
            host: { ...options.s3, name: 'account', policy: undefined },
            functions: { ...options.s3, name: 'account', policy: undefined },
          },
        }
      : await startOwnS3(join(dataDir, 's3'), bucketName, { world, faults }, closers);
    const { host, functions } = s3.identities;
    const kms = await startKms({ directory: dataDir, region, credentials: [s3, host, functions] });
    closers.push(() => kms.close());
    const bucket = lookInto(s3);
    closers.push(() => bucket.close());

    const courier = createCourier({
      world,
      events,
      baseUrl: options.functionsBaseUrl,
      origin: options.functionsOrigin,
    });
    closers.push(() => courier.close());
    const switchboard = createSwitchboard({ world, events, courier });
    const dialogue = await openMediaFile(join(root, 'media', 'dialogue.wav'));
    closers.push(() => dialogue.close());

    const controls = buildControls();
    closers.push(() => controls.close());
    const mediaDir = join(dataDir, 'media');
    controlRoutes(controls, { world, faults, events, courier, switchboard, bucket, dialogue, mediaDir });
    const legs = createLegs({
      world,
      events,
      courier,
      dialogue,
      functions: [options.functionsBaseUrl, options.functionsOrigin],
    });
    const exchange = createExchange({ world, events, legs });
    closers.push(watchLiveCalls({ world, events, exchange }));
    agentEventControls(controls, { world, exchange, streams: eventStreams });
    textControls(controls, { world, exchange });
    const vendor = await startVeridas({ certificates });
    closers.push(() => vendor.close());
    veridasRoutes(controls, { veridas: vendor.veridas, root: join(root, 'src', 'veridas', 'assets') });
    brevoRoutes(controls, brevo.brevo, brevoLocalPath);
    brevoControls(controls, brevo.brevo);
    const { flexConfiguration } = world;
    const ours: Record<string, unknown> = {
      functions_url: options.functionsOrigin,
      host_url: options.publicHostUrl,
    };
    flexConfiguration.ui_attributes['flex_custody'] = ours;
    const desktop = desktopRoutes(controls, {
      world,
      events,
      exchange,
      assets: join(root, 'src', 'desktop', 'assets'),
      files: {
        root: resolve(options.flex?.root ?? join(root, '..')),
        plugins: options.flex?.plugins ?? ['plugin-recording', 'plugin-veridas'],
        build: options.flex?.build ?? true,
      },
      settings: flexConfiguration,
    });
    liveControlRoutes(controls, {
      world,
      events,
      switchboard,
      exchange,
      courier,
      desktop,
      functionsUrl: options.functionsBaseUrl,
    });
    pageRoutes(controls, {
      hostUrl: options.publicHostUrl,
      mediaOrigins: [s3.endpoint],
      root: join(root, 'src', 'page', 'assets'),
    });
    if (options.operators) recorderRoute(controls, options.operators);
    const url = await controls.listen({ host: '127.0.0.1', port: options.port });

    ours['veridas'] = { enabled: true, vendor_url: `${url}/veridas` };

    const { accountSid, authToken, workspaceSid } = world.account;
    return {
      url,
      account: { accountSid, authToken, workspaceSid },
      s3,
      kms,
      recordingKeyFile,
      veridas: {
        tokenUrl: vendor.tokenUrl,
        ca: certificates.ca,
        ...vendor.veridas.credentials,
        audioUrl: veridasAudioUrl,
      },
      brevo: {
        apiUrl: `https://${brevoHost}/v3`,
        localUrl: url + brevoLocalPath,
        apiKey: brevo.brevo.apiKey,
        account: brevo.brevo,
      },
      env: environment({ proxy: proxy.url, caFile: certificates.caFile, s3, world }),
      twilio: { world, faults, events, courier, switchboard, bucket, exchange, desktop, eventStreams },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const buildControls = (): FastifyInstance =>
  Fastify({ bodyLimit: 4 * 1024 * 1024, forceCloseConnections: true });

function environment(deps: { proxy: string; caFile: string; s3: S3Access; world: World }) {
  const { accountSid, authToken, workspaceSid } = deps.world.account;
  return {
    HTTPS_PROXY: deps.proxy,
    HTTP_PROXY: deps.proxy,
    NO_PROXY: '127.0.0.1,localhost',
    NODE_EXTRA_CA_CERTS: deps.caFile,
    AWS_ENDPOINT_URL_S3: deps.s3.endpoint,
    AWS_REGION: deps.s3.region,
    AWS_ACCESS_KEY_ID: deps.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: deps.s3.secretAccessKey,
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TWILIO_WORKSPACE_SID: workspaceSid,
  };
}
