import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Bucket } from './bucket.ts';
import type { Courier } from './callbacks.ts';
import type { Switchboard } from './calls.ts';
import { bodyOf, choice, flag, number, text } from './controls-body.ts';
import type { EventLog } from './events.ts';
import { type Fault, type Faults, faultKinds, faultTargets } from './faults.ts';
import { type Media, openMediaFile, WavRefused } from './media.ts';
import { Refused } from './refused.ts';
import { mintToken } from './rest/iam.ts';
import { recordingBody } from './rest/recordings.ts';
import { flexIdentity } from './sids.ts';
import type { World } from './world.ts';

export interface ControlDeps {
  world: World;
  faults: Faults;
  events: EventLog;
  courier: Courier;
  switchboard: Switchboard;
  bucket: Bucket;
  dialogue: Media;
  /** Folder for uploaded WAVs. */
  mediaDir: string;
}

/** `/sandbox/*`: what people, tests and the start page steer the world with, and see what it holds. */
export function controlRoutes(app: FastifyInstance, deps: ControlDeps): void {
  const { world, faults, events, courier, switchboard, bucket } = deps;
  const found = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw new Refused(`there is no ${what} here`, 404);
    return value;
  };
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status =
      error instanceof Refused ? error.status : error instanceof WavRefused ? 400 : (error.statusCode ?? 500);
    return reply.code(status).send({ error: error.message });
  });
  const opened = new Map<string, Promise<Media>>();
  const mediaOf = (path: string | undefined): Promise<Media> => {
    if (path === undefined) return Promise.resolve(deps.dialogue);
    const known = opened.get(path) ?? openMediaFile(path);
    opened.set(path, known);
    known.catch(() => opened.delete(path));
    return known;
  };
  app.addHook('onClose', async () => {
    for (const media of await Promise.allSettled(opened.values()))
      if (media.status === 'fulfilled') await media.value.close();
  });

  app.post('/sandbox/calls', async (request) => {
    const body = bodyOf(request.body);
    const path = text(body, 'media');
    const media = await mediaOf(path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Refused('there is no file at "media"') : error;
    });
    const worker = text(body, 'worker');
    if (worker !== undefined) found(world.workers.get(worker), 'such worker');
    const options = {
      media,
      marked: path === undefined,
      seconds: number(body, 'seconds', path === undefined ? 30 : media.seconds, 0.1, 100_000),
      channels: choice(body, 'channels', media.channels, [1, 2]),
      transfer: flag(body, 'transfer', false),
      direction: choice(body, 'direction', 'inbound', ['inbound', 'outbound']),
      conference: flag(body, 'conference', false),
      taskGone: flag(body, 'taskGone', false),
      callback: flag(body, 'callback', true),
      encrypted: flag(body, 'encrypted', false),
      ...(worker === undefined ? {} : { worker }),
    };
    const count = number(body, 'count', 1, 1, 1000);
    const calls = Array.from({ length: Math.floor(count) }, () => switchboard.place(options));
    return calls.length === 1 ? calls[0] : { calls };
  });
  app.get('/sandbox/calls', async () => ({ calls: switchboard.list() }));

  app.post('/sandbox/callbacks', async (request) => {
    const body = bodyOf(request.body);
    const recording = found(world.recordings.get(text(body, 'recording') ?? ''), 'such recording');
    const form = Object.entries(bodyOf(body['form'])).map(([name, value]) => [name, String(value)]);
    const times = Math.floor(number(body, 'times', 1, 1, 100));
    const all = Array.from({ length: times }, () => courier.deliver(recording, Object.fromEntries(form)));
    return { deliveries: await Promise.all(all) };
  });

  app.post('/sandbox/tokens', async (request) => {
    const body = bodyOf(request.body);
    const roles = body['roles'];
    if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string'))
      throw new Refused('"roles" must be a list of names');
    const workerSid = text(body, 'worker_sid') ?? null;
    const identity =
      text(body, 'identity') ??
      world.workers.get(workerSid ?? '')?.identity ??
      flexIdentity(`${roles[0] ?? 'no-role'}@northwind.example`);
    const seconds = number(body, 'expiresIn', 3600, -86_400, 86_400);
    const expiresAt = new Date(Date.now() + seconds * 1000);
    const token = mintToken(world, { identity, roles, workerSid, expiresAt });
    return { token, identity, roles, worker_sid: workerSid, expiration: expiresAt.toISOString() };
  });
  app.delete('/sandbox/tokens', async () => {
    world.tokens.clear();
    return {};
  });

  app.get('/sandbox/workers', async () => ({
    workers: [...world.workers.values()].map((worker) => ({
      worker: worker.sid,
      identity: worker.identity,
      name: (JSON.parse(worker.attributes) as { full_name: string }).full_name,
    })),
  }));
  app.get<{ Params: { sid: string } }>('/sandbox/tasks/:sid', async (request) => {
    const task = found(world.tasks.get(request.params.sid), 'such task (Twilio removes ended ones)');
    return {
      sid: task.sid,
      status: task.status,
      version: task.version,
      attributes: JSON.parse(task.attributes) as unknown,
      dateUpdated: task.updatedAt.toISOString(),
    };
  });
  app.delete<{ Params: { sid: string } }>('/sandbox/tasks/:sid', async (request) => {
    if (!world.tasks.delete(request.params.sid)) throw new Refused('there is no such task here', 404);
    return {};
  });
  app.get<{ Params: { sid: string } }>('/sandbox/recordings/:sid', async (request) => {
    const recording = found(world.recordings.get(request.params.sid), 'such recording');
    const { media } = recording;
    const as = async (channels: 1 | 2) =>
      media && channels <= media.channels
        ? { bytes: media.size(channels), sha256: await media.sha256(channels) }
        : undefined;
    return {
      recording: recordingBody(world, recording),
      media: { 1: await as(1), 2: await as(2) },
      deliveries: courier.deliveries(recording.sid),
      forwarded: world.forwarded.filter((one) => one.form['RecordingSid'] === recording.sid),
    };
  });
  /** For what only a test wants: a recording still processing, or that became absent. */
  app.post<{ Params: { sid: string } }>('/sandbox/recordings/:sid', async (request) => {
    const recording = found(world.recordings.get(request.params.sid), 'such recording');
    const body = bodyOf(request.body);
    recording.status = choice(body, 'status', recording.status, [
      'processing',
      'completed',
      'absent',
      'deleted',
    ]);
    recording.errorCode = recording.status === 'absent' ? number(body, 'errorCode', 16102, 1, 99_999) : null;
    recording.updatedAt = new Date();
    return { recording: recordingBody(world, recording) };
  });

  app.get('/sandbox/bucket', async () => bucket.show());
  app.get('/sandbox/forwarded', async () => ({ forwarded: world.forwarded }));

  app.get('/sandbox/behaviour', async () => world.behaviour);
  app.post('/sandbox/behaviour', async (request) => {
    const body = bodyOf(request.body);
    world.behaviour.mediaRange = flag(body, 'mediaRange', world.behaviour.mediaRange);
    world.behaviour.mediaValidators = flag(body, 'mediaValidators', world.behaviour.mediaValidators);
    world.behaviour.encryptionNames = choice(body, 'encryptionNames', world.behaviour.encryptionNames, [
      'guide',
      'reference',
    ]);
    world.behaviour.acceptRecordsOutbound = flag(
      body,
      'acceptRecordsOutbound',
      world.behaviour.acceptRecordsOutbound,
    );
    world.behaviour.clockSeconds = number(
      body,
      'clockSeconds',
      world.behaviour.clockSeconds,
      -86_400,
      86_400,
    );
    return world.behaviour;
  });

  app.get('/sandbox/faults', async () => ({ faults: faults.list() }));
  app.post('/sandbox/faults', async (request) => {
    const body = bodyOf(request.body);
    if (body['target'] === undefined || body['kind'] === undefined)
      throw new Refused(
        `"target" (${faultTargets.join(', ')}) and "kind" (${faultKinds.join(', ')}) are needed`,
      );
    const fault: Fault = {
      target: choice(body, 'target', 'media', faultTargets),
      kind: choice(body, 'kind', 'status', faultKinds),
      times: number(body, 'times', 1, 0, 1_000_000),
    };
    if (body['value'] !== undefined) fault.value = number(body, 'value', 0, 0, Number.MAX_SAFE_INTEGER);
    const code = text(body, 'code');
    if (code !== undefined) fault.failure = { code };
    const match = text(body, 'match');
    if (match !== undefined) fault.match = match;
    faults.add(fault);
    events.emit('fault.set', { target: fault.target, kind: fault.kind, times: fault.times });
    return { faults: faults.list() };
  });
  app.delete('/sandbox/faults', async () => {
    faults.clear();
    events.emit('fault.cleared');
    return { faults: [] };
  });

  const watchers = new Set<ServerResponse>();
  // A page that watches would keep the server from closing.
  app.addHook('preClose', async () => {
    for (const watcher of watchers) watcher.destroy();
  });
  app.get('/sandbox/events', (_request, reply) => {
    watchers.add(reply.raw);
    reply.raw.once('close', () => watchers.delete(reply.raw));
    streamEvents(events, reply);
  });
  app.post('/sandbox/events', async (request) => {
    const lines: unknown[] = Array.isArray(request.body) ? request.body : [request.body];
    let relayed = 0;
    for (const line of lines.map(bodyOf)) {
      const { event, at, time } = line;
      if (typeof event !== 'string' || !event.startsWith('recording.')) continue;
      const when =
        typeof at === 'string' ? at : new Date(typeof time === 'number' ? time : Date.now()).toISOString();
      events.relay({ ...line, event, at: when });
      relayed += 1;
    }
    return { relayed };
  });

  app.addContentTypeParser(/^audio\//, (_request, payload, done) => done(null, payload));
  app.post('/sandbox/media', { bodyLimit: 2 ** 32 }, async (request) => {
    await mkdir(deps.mediaDir, { recursive: true });
    const path = join(deps.mediaDir, `${randomUUID()}.wav`);
    const partial = `${path}.part`;
    try {
      await pipeline(request.body as Readable, createWriteStream(partial));
      const media = await openMediaFile(partial);
      await media.close();
      await rename(partial, path);
      return { media: path, seconds: media.seconds, channels: media.channels };
    } finally {
      await rm(partial, { force: true });
    }
  });
}

/** Server-sent events: what happened lately, then what happens. */
function streamEvents(events: EventLog, reply: FastifyReply): void {
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // Headers go out with the first bytes: a page that was opened before anything happened would wait for them.
  reply.raw.write(': watching\n\n');
  const send = (event: unknown) => reply.raw.write(`data: ${JSON.stringify(event)}\n\n`);
  for (const event of events.recent()) send(event);
  const beat = setInterval(() => reply.raw.write(': still here\n\n'), 15_000);
  const stop = events.subscribe(send);
  reply.raw.once('close', () => {
    clearInterval(beat);
    stop();
  });
}
