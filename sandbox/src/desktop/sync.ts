import { createHash } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Participant, Reservation } from '../world.ts';
import { bytesOf, type DesktopDeps, jsonOf, type SocketEnd } from './hub.ts';
import { createIndexes } from './indexes.ts';
import { readFrame, writeFrame } from './twilsock.ts';

export interface Sync {
  socket: SocketEnd;
  close(): void;
}

interface Client {
  socket: WebSocket;
  /** What it has subscribed to, by SID: maps, and queries. */
  subscribed: Set<string>;
  queries: Map<string, { index: string; expression: string }>;
}

interface Asked {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

interface Subscription {
  object_sid: string;
  object_type: string;
  last_event_id?: number | null;
}

type Answer = { status: number; body: unknown; afterwards?: () => void };

const origin = 'https://cds.us1.twilio.com';
const suffix = '.CS';
/** A map's own SID, from which its task's is read back: nothing has to be kept. */
const mapSid = (taskSid: string) => `MP${taskSid.slice(2)}`;
const taskSidOf = (id: string) =>
  id.startsWith('MP') ? `WT${id.slice(2)}` : id.endsWith(suffix) ? id.slice(0, -suffix.length) : undefined;

/**
 * Twilio Sync over twilsock, as `twilio-sync` 2.0.1 speaks it: Flex UI reads from the map `<task>.CS` who is in a task's
 * conference, and live queries whom a call may be transferred to and what a team has in hand.
 */
export function createSync({ world, exchange, seats }: DesktopDeps): Sync {
  const clients = new Set<Client>();
  const indexes = createIndexes({ world, seats });
  const known = new Map<string, number>();
  /** Events of each map, by its SID: a new subscriber gets those that it has missed. */
  const past = new Map<string, { event: { id: number } }[]>();
  let lastEvent = 1;

  const conferenceOf = (taskSid: string) =>
    [...world.conferences.values()].findLast((one) => one.friendlyName === taskSid);

  /** As Flex's own backend writes it, and flex-ui's `decodeSyncParticipant` reads it. */
  const participantData = (conferenceSid: string, one: Participant) => ({
    participant_type: one.supervises ? 'supervisor' : one.workerSid === undefined ? 'customer' : 'worker',
    conference_sid: conferenceSid,
    call_sid: one.callSid,
    hold: one.hold ?? false,
    muted: one.muted ?? false,
    end_conference_on_exit: false,
    status: one.status === 'connected' ? 'joined' : 'left',
    connecting: false,
    ...(one.workerSid === undefined ? {} : { worker_sid: one.workerSid }),
    ...(one.reservationSid === undefined ? {} : { reservation_sid: one.reservationSid }),
  });

  const item = (taskSid: string, key: string, data: unknown) => ({
    key,
    data,
    account_sid: world.account.accountSid,
    service_sid: `IS${'0'.repeat(32)}`,
    map_sid: mapSid(taskSid),
    revision: String(known.get(taskSid + key) ?? 0),
    last_event_id: known.get(taskSid + key) ?? 0,
    date_updated: new Date().toISOString(),
    date_expires: null,
    url: `${origin}/v3/Maps/${mapSid(taskSid)}/Items/${key}`,
  });

  const items = (taskSid: string) => {
    const conference = conferenceOf(taskSid);
    const status = { status: conference?.status ?? 'init', conference_sid: conference?.sid ?? null };
    return [
      item(taskSid, 'conf_status', status),
      ...(conference?.participants ?? [])
        .filter((one) => one.status === 'connected')
        .map((one) => item(taskSid, one.callSid, participantData(conference?.sid ?? '', one))),
    ];
  };

  const notify = (socket: WebSocket, message_type: string, payload: unknown) =>
    socket.send(
      writeFrame({ method: 'notification', id: `TM${Date.now()}${Math.random()}`, message_type }, payload),
    );

  const stop = exchange.on((event) => {
    if (event.of === 'reservation') tellQueries(event.reservation);
    if (event.of === 'task')
      for (const one of world.reservations.values()) if (one.taskSid === event.task.sid) tellQueries(one);
    if (event.of !== 'leg') return;
    const { taskSid, callSid } = event;
    const conference = conferenceOf(taskSid);
    const one = conference?.participants.find((participant) => participant.callSid === callSid);
    if (!conference || !one) return;
    lastEvent += 1;
    const event_type = known.has(taskSid + callSid) ? 'map_item_updated' : 'map_item_added';
    known.set(taskSid + callSid, lastEvent);
    const facts = item(taskSid, callSid, participantData(conference.sid, one));
    const payload = {
      event_type,
      event_protocol_version: 3,
      event: {
        id: lastEvent,
        map_sid: mapSid(taskSid),
        map_revision: String(lastEvent),
        item_key: callSid,
        item_data: facts.data,
        item_revision: facts.revision,
        item_url: facts.url,
        date_created: facts.date_updated,
      },
    };
    const before = past.get(mapSid(taskSid)) ?? [];
    past.set(mapSid(taskSid), [...before, payload]);
    for (const client of clients) {
      if (client.subscribed.has(mapSid(taskSid))) notify(client.socket, 'com.twilio.rtd.cds.map', payload);
    }
  });

  const openMap = (id: string): Answer => {
    const taskSid = taskSidOf(id);
    const task = world.tasks.get(taskSid ?? '');
    if (!taskSid || !task || task.channel === 'chat')
      return { status: 404, body: { status: 404, code: 54200, message: 'Map not found' } };
    const url = `${origin}/v3/Maps/${mapSid(taskSid)}`;
    return {
      status: 200,
      body: {
        sid: mapSid(taskSid),
        unique_name: taskSid + suffix,
        account_sid: world.account.accountSid,
        revision: String(lastEvent),
        last_event_id: lastEvent,
        date_updated: new Date().toISOString(),
        date_expires: null,
        url,
        links: { items: `${url}/Items` },
      },
    };
  };

  const subscribe = (client: Client, body: Record<string, unknown>): Answer => {
    const { action, correlation_id, requests } = body;
    const asked = Array.isArray(requests) ? (requests as Subscription[]) : [];
    const established = action === 'establish';
    return {
      status: 200,
      body: { estimated_delivery_in_ms: 10_000, max_batch_size: 100, ttl_in_s: 86_400 },
      afterwards() {
        for (const { object_sid, object_type, last_event_id } of asked) {
          if (established) client.subscribed.add(object_sid);
          else client.subscribed.delete(object_sid);
          for (const missed of established ? (past.get(object_sid) ?? []) : [])
            if (missed.event.id > (last_event_id ?? 0)) notify(client.socket, 'twilio.sync.event', missed);
          notify(client.socket, 'twilio.sync.event', {
            event_type: established ? 'subscription_established' : 'subscription_canceled',
            event_protocol_version: 3,
            correlation_id,
            event: { object_sid, object_type, replay_status: 'completed', last_event_id: lastEvent },
          });
          const query = established ? client.queries.get(object_sid) : undefined;
          if (query?.index === 'tr-reservation')
            for (const one of world.reservations.values()) if (indexes.reservation(one)) tellQueries(one);
        }
      },
    };
  };

  const search = (client: Client, index: string, expression: string): Answer => {
    const query_id = `QR${createHash('sha256')
      .update(index + expression)
      .digest('hex')
      .slice(0, 32)}`;
    client.queries.set(query_id, { index, expression });
    const items = indexes.search(index, expression);
    return { status: 200, body: { query_id, last_event_id: lastEvent, items } };
  };

  /** A supervisor's list of an agent's tasks follows what becomes of them. */
  const tellQueries = (reservation: Reservation) => {
    const item = indexes.reservation(reservation);
    lastEvent += 1;
    for (const { socket, subscribed, queries } of clients) {
      for (const [query_id, { index, expression }] of queries) {
        if (index !== 'tr-reservation' || !subscribed.has(query_id)) continue;
        if (!expression.includes(reservation.workerSid)) continue;
        const event = {
          query_id,
          last_event_id: lastEvent,
          item_key: reservation.sid,
          item_revision: reservation.updatedAt.getTime() + lastEvent,
          ...(item ? { item_data: item.data } : {}),
        };
        const event_type = item ? 'live_query_item_updated' : 'live_query_item_removed';
        notify(socket, 'twilio.sync.event', { event_type, event_protocol_version: 3, event });
      }
    }
  };

  const answer = (client: Client, { path, body }: Asked): Answer => {
    const [, version, kind, id, below] = path.split('?')[0]?.split('/') ?? [];
    if (kind === 'Subscriptions') return subscribe(client, body);
    if (kind === 'Maps' && id !== undefined && below === 'Items') {
      const wanted = new URL(path, origin).searchParams.get('Key');
      const all = items(taskSidOf(id) ?? '').filter(({ key }) => wanted === null || key === wanted);
      return { status: 200, body: { items: all, meta: { previous_token: null, next_token: null } } };
    }
    if (kind === 'Maps' && id !== undefined) return openMap(decodeURIComponent(id));
    if (kind === 'Insights') return search(client, id ?? '', String(body['query_string'] ?? ''));
    return { status: version === undefined ? 404 : 200, body: {} };
  };

  return {
    socket(socket) {
      const client: Client = { socket, subscribed: new Set(), queries: new Map() };
      clients.add(client);
      socket.on('close', () => clients.delete(client));
      socket.on('message', (data) => {
        const { header, payload } = readFrame(bytesOf(data));
        const { id, method } = header;
        if (method === 'reply' || method === 'ping') return;
        const reply = { method: 'reply', id, status: { code: 200, status: 'OK' } };
        if (method === 'init') {
          const storage = { storage_id: `sandbox-${Date.now()}` };
          const greeting = {
            continuation_token: 'sandbox',
            continuation_token_status: { reissued: false },
            capabilities: ['client_update', 'offline_storage'],
            offline_storage: { data_sync: storage, flex_insights: storage },
            init_registrations: [],
            debug_info: {},
          };
          socket.send(writeFrame({ ...reply, ...greeting }, {}));
          return;
        }
        const asked = header['http_request'] as { method: string; path: string; params?: object } | undefined;
        if (!asked) {
          socket.send(writeFrame(reply));
          return;
        }
        const query = new URLSearchParams((asked.params ?? {}) as Record<string, string>).toString();
        const path = query === '' ? asked.path : `${asked.path}?${query}`;
        const found = answer(client, { method: asked.method, path, body: jsonOf(payload) ?? {} });
        const http_status = { code: found.status, status: found.status === 200 ? 'OK' : 'Not Found' };
        const http_headers = { 'content-type': 'application/json' };
        socket.send(writeFrame({ ...reply, http_status, http_headers }, found.body));
        found.afterwards?.();
      });
    },
    close() {
      stop();
      for (const { socket } of clients) socket.terminate();
    },
  };
}
