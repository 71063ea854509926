import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type twilio from 'twilio';
import type { PlacedCall } from '../../sandbox/src/calls.ts';
import { type Sandbox, startSandbox } from '../../sandbox/src/index.ts';
import { describeWhere } from '../support/needs.ts';
import { Description, type Exchange } from './openapi.ts';
import { recordingClient } from './recording-client.ts';

describeWhere('twilio-oai', "Twilio's double keeps to Twilio's own descriptions", () => {
  let dataDir: string;
  let sandbox: Sandbox;
  let client: ReturnType<typeof twilio>;
  let call: PlacedCall;
  const exchanges: Exchange[] = [];
  const descriptions: Record<string, Description> = {};

  beforeAll(async () => {
    descriptions['api.twilio.com'] = new Description('api_v2010');
    descriptions['taskrouter.twilio.com'] = new Description('taskrouter_v1');
    descriptions['events.twilio.com'] = new Description('events_v1');
    descriptions['flex-api.twilio.com'] = new Description('flex_v1');
    descriptions['conversations.twilio.com'] = new Description('conversations_v1');
    dataDir = await mkdtemp(join(tmpdir(), 'sandbox-contract-'));
    sandbox = await startSandbox({
      port: 0,
      dataDir,
      functionsBaseUrl: 'https://flex-custody-4200-dev.twil.io',
      functionsOrigin: 'http://127.0.0.1:9',
      publicHostUrl: 'http://127.0.0.1:4100',
    });
    client = await recordingClient(sandbox, exchanges);
    call = await place({});
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(dataDir, { recursive: true });
  });
  beforeEach(() => {
    exchanges.length = 0;
  });
  afterEach(() => {
    expect(exchanges).not.toHaveLength(0);
    for (const exchange of exchanges) {
      const wrong = descriptions[exchange.url.hostname]?.violations(exchange);
      expect({ request: `${exchange.method} ${exchange.url}`, wrong }).toMatchObject({ wrong: [] });
    }
  });

  const control = async <T>(path: string, body: object): Promise<T> => {
    const response = await fetch(`${sandbox.url}/sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as T;
  };
  const place = (options: object) =>
    control<PlacedCall>('calls', { seconds: 2, callback: false, ...options });
  const live = (sid: string) =>
    Object.assign(sandbox.twilio.world.calls.get(sid) ?? {}, { status: 'in-progress', endedAt: null });
  const workspace = () => client.taskrouter.v1.workspaces(sandbox.account.workspaceSid);

  test('the account', async () => {
    const account = await client.api.v2010.accounts(sandbox.account.accountSid).fetch();
    expect(account.status).toBe('active');
  });

  test('the Flex configuration: a field that is written is replaced, another stays', async () => {
    const configuration = client.flexApi.v1.configuration();
    const before = await configuration.fetch();
    expect(before).toMatchObject({
      callRecordingEnabled: false,
      uiAttributes: { version_compatibility: 'yes' },
    });
    const { accountSid } = sandbox.account;
    await configuration.update({ account_sid: accountSid, ui_attributes: { mine: { a: 1 } } });
    expect(await configuration.fetch()).toMatchObject({
      callRecordingEnabled: false,
      uiAttributes: { mine: { a: 1 } },
    });
    expect((await configuration.fetch()).uiAttributes).not.toHaveProperty('version_compatibility');
    await expect(configuration.update({ ui_attributes: {} })).rejects.toMatchObject({ status: 400 });
  });

  test('wrong credentials', async () => {
    const password = client.password ?? '';
    client.password = '0'.repeat(32);
    await expect(client.recordings.list({ limit: 1 })).rejects.toMatchObject({ status: 401, code: 20003 });
    client.password = password;
  });

  test('a recording, its call, and what is not there', async () => {
    const [sid = ''] = call.recordings;
    const recording = await client.recordings(sid).fetch();
    expect(recording).toMatchObject({
      status: 'completed',
      channels: 2,
      duration: '2',
      source: 'OutboundAPI',
    });
    const leg = await client.calls(recording.callSid).fetch();
    expect(leg.to).toBe(`client:${call.reservations[0]!.identity}`);
    await expect(client.recordings(`RE${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({
      status: 404,
      code: 20404,
    });
  });

  test('recordings are listed by page, by call and by date, newest first', async () => {
    const { calls } = (await place({ count: 5 })) as unknown as { calls: PlacedCall[] };
    const all = await client.recordings.list({ pageSize: 2 });
    expect(all.length).toBeGreaterThan(5);
    expect(exchanges.length).toBeGreaterThan(2);
    expect(new Set(all.map((one) => one.sid)).size).toBe(all.length);
    const [first] = calls;
    const ofCall = await client.recordings.list({ callSid: first!.reservations[0]!.call });
    expect(ofCall.map((one) => one.sid)).toEqual(first!.recordings);
    const tomorrow = new Date(Date.now() + 48 * 3600 * 1000);
    expect(await client.recordings.list({ dateCreatedAfter: tomorrow })).toEqual([]);
    expect(await client.recordings.list({ dateCreatedBefore: tomorrow })).toHaveLength(all.length);
  });

  test('a deleted recording is soft-deleted and its media gone', async () => {
    const { recordings } = await place({});
    const [sid = ''] = recordings;
    expect(await client.recordings(sid).remove()).toBe(true);
    expect((await client.recordings(sid).fetch()).status).toBe('deleted');
    const sids = async (options: object) => (await client.recordings.list(options)).map((one) => one.sid);
    expect(await sids({})).not.toContain(sid);
    expect(await sids({ includeSoftDeleted: true })).toContain(sid);
  });

  test('a live call is recorded, paused, resumed and stopped', async () => {
    const placed = await place({});
    const leg = placed.reservations[0]!.call;
    live(leg);
    const recordings = client.calls(leg).recordings;
    const started = await recordings.create({
      recordingChannels: 'dual',
      recordingStatusCallback: 'https://functions.example/recording-status-callback?taskSid=WT1#rc=5&rp=all',
      recordingStatusCallbackEvent: ['completed absent'],
    });
    expect(sandbox.twilio.world.recordings.get(started.sid)?.callback).toBe(
      '/recording-status-callback?taskSid=WT1#rc=5&rp=all',
    );
    expect(started).toMatchObject({ status: 'in-progress', channels: 2 });
    const current = client.calls(leg).recordings('Twilio.CURRENT');
    const asListed = async () => (await recordings.list()).find((one) => one.sid === started.sid)?.status;
    expect((await current.update({ status: 'paused', pauseBehavior: 'skip' })).status).toBe('paused');
    expect(await asListed()).toBe('processing');
    expect((await client.recordings(started.sid).fetch()).status).toBe('processing');
    expect((await current.update({ status: 'in-progress' })).status).toBe('in-progress');
    const second = await recordings.create();
    await expect(current.update({ status: 'paused' })).rejects.toMatchObject({ status: 400 });
    expect((await client.calls(leg).recordings(second.sid).update({ status: 'stopped' })).status).toBe(
      'stopped',
    );
    await expect(client.calls(leg).recordings(second.sid).update({ status: 'paused' })).rejects.toMatchObject(
      { code: 21220 },
    );
    expect(await recordings.list()).toHaveLength(3);
    await expect(recordings.create({ recordingStatusCallbackEvent: ['paused'] })).rejects.toMatchObject({
      status: 400,
    });
    Object.assign(sandbox.twilio.world.calls.get(leg) ?? {}, { status: 'completed' });
    await expect(
      client.calls(leg).recordings(started.sid).update({ status: 'paused' }),
    ).rejects.toMatchObject({ code: 21220 });
  });

  test('an ended call is not recorded any more', async () => {
    await expect(client.calls(call.customerCall).recordings.create()).rejects.toMatchObject({ code: 21220 });
  });

  test('a conference, its participants and its recording, which cannot be stopped', async () => {
    const placed = await place({ conference: true });
    const conference = client.conferences(placed.conference);
    expect((await conference.fetch()).friendlyName).toBe(placed.task);
    const found = await client.conferences.list({ friendlyName: placed.task });
    expect(found.map((one) => one.sid)).toEqual([placed.conference]);
    const inProgress = () => client.conferences.list({ friendlyName: placed.task, status: 'in-progress' });
    expect(await inProgress()).toEqual([]);
    Object.assign(sandbox.twilio.world.conferences.get(placed.conference) ?? {}, { status: 'in-progress' });
    expect(await inProgress()).toHaveLength(1);
    const participants = await conference.participants.list();
    expect(participants.map((one) => one.callSid)).toEqual([
      placed.customerCall,
      placed.reservations[0]!.call,
    ]);
    expect((await conference.participants('customer').fetch()).callSid).toBe(placed.customerCall);
    const [recording] = await conference.recordings.list();
    Object.assign(sandbox.twilio.world.recordings.get(recording!.sid) ?? {}, { status: 'in-progress' });
    expect(
      (await conference.recordings(recording!.sid).update({ status: 'paused', pauseBehavior: 'silence' }))
        .status,
    ).toBe('paused');
    expect((await conference.recordings.list()).map((one) => one.status)).toEqual(['processing']);
    await expect(conference.recordings(recording!.sid).update({ status: 'stopped' })).rejects.toMatchObject({
      status: 400,
    });
  });

  test('conferences in progress are listed with their start, all of them by page', async () => {
    const placed = [await place({}), await place({}), await place({})];
    for (const { conference } of placed)
      Object.assign(sandbox.twilio.world.conferences.get(conference) ?? {}, { status: 'in-progress' });
    const found = await client.conferences.list({ status: 'in-progress', pageSize: 2 });
    expect(exchanges.length).toBeGreaterThan(1);
    for (const { conference, task } of placed)
      expect(found.find(({ sid }) => sid === conference)).toMatchObject({ friendlyName: task });
    expect(found.every(({ dateCreated }) => dateCreated instanceof Date)).toBe(true);
    for (const { conference } of placed)
      Object.assign(sandbox.twilio.world.conferences.get(conference) ?? {}, { status: 'completed' });
  });

  test('how a task was made stays as it was, and says who made it', async () => {
    const inbound = await place({});
    await workspace().tasks(inbound.task).update({ attributes: '{"direction":"internal"}' });
    const made = (taskSid: string, minutes = 43_200) =>
      workspace().events.list({ eventType: 'task.created', taskSid, minutes, limit: 1 });
    const [event] = await made(inbound.task);
    expect(event).toMatchObject({ eventType: 'task.created', actorType: 'workflow' });
    expect(JSON.parse(event!.eventData.task_attributes)).toMatchObject({
      direction: 'inbound',
      call_sid: inbound.customerCall,
    });
    const outbound = await place({ direction: 'outbound' });
    expect(await made(outbound.task)).toMatchObject([{ actorType: 'worker' }]);
    expect(await made(`WT${'0'.repeat(32)}`)).toEqual([]);
    const task = sandbox.twilio.world.taskEvents.get(inbound.task)!;
    task.at = new Date(Date.now() - 20 * 60_000);
    const lately = { eventType: 'task.created', taskSid: inbound.task };
    expect(await workspace().events.list(lately)).toEqual([]);
    expect(await made(inbound.task)).toHaveLength(1);
  });

  test('streams: four tracks a call, a name once, wss only', async () => {
    const placed = await place({});
    const leg = placed.reservations[0]!.call;
    live(leg);
    const { streams } = client.calls(leg);
    const url = 'wss://host.example/twilio/v1';
    const both = await streams.create({
      url,
      track: 'both_tracks',
      name: 'recorder',
      'parameter1.name': 'token',
      'parameter1.value': 'x',
    });
    expect(both.status).toBe('in-progress');
    await expect(streams.create({ url, name: 'recorder' })).rejects.toMatchObject({ status: 400 });
    await streams.create({ url, track: 'both_tracks' });
    await expect(streams.create({ url })).rejects.toMatchObject({ status: 400 });
    await expect(streams.create({ url: 'https://host.example' })).rejects.toMatchObject({ status: 400 });
    expect((await client.calls(leg).streams('recorder').update({ status: 'stopped' })).status).toBe(
      'stopped',
    );
    await streams.create({ url });
  });

  test('a task is changed by who read its newest version, and by nobody else', async () => {
    const task = workspace().tasks(call.task);
    const { headers, body } = await task.fetchWithHttpInfo();
    const etag = String((headers as unknown as Record<string, string>)['etag']);
    expect(etag).toMatch(/^"\d+"$/);
    const attributes = JSON.stringify({ ...JSON.parse(body.attributes), seen: 1 });
    await task.update({ attributes, ifMatch: JSON.parse(etag) as string });
    await expect(task.update({ attributes: '{}', ifMatch: etag })).rejects.toMatchObject({ status: 412 });
    expect(JSON.parse((await task.fetch()).attributes)).toMatchObject({ seen: 1 });
  });

  test('attributes of 4,096 characters fit, one more does not, and neither does what is no object', async () => {
    const task = workspace().tasks((await place({})).task);
    const text = (length: number) => JSON.stringify({ pad: 'x'.repeat(length - '{"pad":""}'.length) });
    await task.update({ attributes: text(4096) });
    for (const attributes of [text(4097), '[]', '{'])
      await expect(task.update({ attributes })).rejects.toMatchObject({ status: 400 });
  });

  test('a task is found by its conference, and by its last worker leg', async () => {
    const placed = await place({ transfer: true });
    const [first, last] = placed.reservations;
    const found = async (evaluateTaskAttributes: string) =>
      (await workspace().tasks.list({ evaluateTaskAttributes })).map((one) => one.sid);
    expect(await found(`conference.sid == '${placed.conference}'`)).toEqual([placed.task]);
    expect(await found(`conference.participants.worker == '${last!.call}'`)).toEqual([placed.task]);
    expect(await found(`conference.participants.worker == '${first!.call}'`)).toEqual([]);
    await expect(workspace().tasks.list({ evaluateTaskAttributes: 'a > 1 OR b' })).rejects.toMatchObject({
      status: 400,
    });
  });

  test('a task that is gone is 404', async () => {
    const placed = await place({ taskGone: true });
    const task = workspace().tasks(placed.task);
    await expect(task.fetch()).rejects.toMatchObject({ status: 404 });
    await expect(task.update({ attributes: '{}' })).rejects.toMatchObject({ status: 404 });
  });

  test('the queues of the workspace, by page and by name', async () => {
    expect(sandbox.twilio.world.tasks.get(call.task)).toBeDefined();
    Object.assign(sandbox.twilio.world.tasks.get(call.task) ?? {}, { queue: 'Rückfragen' });
    const names = async (options: object) =>
      (await workspace().taskQueues.list(options)).map(({ friendlyName }) => friendlyName);
    expect(await names({ pageSize: 1 })).toEqual(['Everyone', 'Rückfragen']);
    expect(exchanges.length).toBeGreaterThan(1);
    expect(await names({ friendlyName: 'Rückfragen' })).toEqual(['Rückfragen']);
  });

  test('reservations are of their task, and workers say how they are called', async () => {
    const { reservations } = workspace().tasks(call.task);
    const [entry] = call.reservations;
    expect((await reservations.list()).map((one) => one.sid)).toEqual([entry!.reservation]);
    const task = workspace().tasks(call.task);
    expect((await task.reservations(entry!.reservation).fetch()).workerSid).toBe(entry!.worker);
    const other = await place({});
    await expect(task.reservations(other.reservations[0]!.reservation).fetch()).rejects.toMatchObject({
      status: 404,
    });
    const worker = await workspace().workers(entry!.worker).fetch();
    expect(JSON.parse(worker.attributes)).toMatchObject({ contact_uri: `client:${entry!.identity}` });
    expect(await workspace().workers.list()).toHaveLength(3);
    const named = await workspace().workers.list({ friendlyName: worker.friendlyName });
    expect(named.map(({ sid }) => sid)).toEqual([entry!.worker]);
    expect(await workspace().workers.list({ friendlyName: 'nobody' })).toEqual([]);
  });

  test('the workspace is Flex’s, and the active release has the plugins', async () => {
    const { taskrouterWorkspaceSid } = await client.flexApi.v1.configuration().fetch();
    expect((await workspace().fetch()).sid).toBe(taskrouterWorkspaceSid);
    const { configurationSid } = await client.flexApi.v1.pluginReleases('active').fetch();
    const plugins = await client.flexApi.v1.pluginConfigurations(configurationSid).plugins.list();
    expect(plugins.map(({ uniqueName, phase }) => [uniqueName, phase])).toEqual([
      ['plugin-recording', 3],
      ['plugin-veridas', 3],
    ]);
  });

  test("a worker's reservations, by their status", async () => {
    const placed = await place({});
    const [entry] = placed.reservations;
    Object.assign(sandbox.twilio.world.reservations.get(entry!.reservation) ?? {}, { status: 'accepted' });
    const { reservations } = workspace().workers(entry!.worker);
    const accepted = await reservations.list({ reservationStatus: 'accepted' });
    expect(accepted.map((one) => [one.sid, one.taskSid])).toEqual([[entry!.reservation, placed.task]]);
    expect((await reservations.list()).length).toBeGreaterThan(1);
  });

  test("TaskRouter's events by page, by period and by what they are about", async () => {
    const placed = await place({ transfer: true });
    const { events } = workspace();
    const all = await events.list({ taskSid: placed.task, pageSize: 3 });
    expect(exchanges.length).toBeGreaterThan(3);
    expect(all.map((one) => one.eventType)).toEqual(
      expect.arrayContaining(['task.created', 'task-queue.entered', 'reservation.accepted', 'task.wrapup']),
    );
    const [first] = placed.reservations;
    const ofReservation = await events.list({ reservationSid: first!.reservation });
    expect(ofReservation).toHaveLength(3);
    expect(ofReservation.every((one) => one.resourceSid === first!.reservation)).toBe(true);
    const accepted = await events.list({ taskSid: placed.task, eventType: 'reservation.accepted' });
    expect(accepted).toHaveLength(2);
    const [one] = accepted;
    expect(await events.list({ sid: one!.sid })).toHaveLength(1);
    const old = new Date(Date.now() - 3_600_000);
    expect(await events.list({ startDate: old, endDate: new Date(old.getTime() + 60_000) })).toEqual([]);
    expect(JSON.parse(one!.eventData.worker_attributes)).toHaveProperty('contact_uri');
  });

  test('a sink is created, tested, validated, and takes one subscription', async () => {
    const { events } = client;
    const sink = await events.v1.sinks.create({
      description: 'ours',
      sinkType: 'webhook',
      sinkConfiguration: { destination: 'http://127.0.0.1:9/events', method: 'POST', batch_events: true },
    });
    expect(sink).toMatchObject({ status: 'initialized' });
    const types = ['task.created', 'reservation.accepted'].map((name) => ({
      type: `com.twilio.taskrouter.${name}`,
      schema_version: 4,
    }));
    const subscribe = () =>
      events.v1.subscriptions.create({ description: 'ours', sinkSid: sink.sid, types: [...types] });
    await expect(subscribe()).rejects.toMatchObject({ status: 400 });
    expect(await events.v1.sinks(sink.sid).sinkTest.create()).toMatchObject({ result: 'submitted' });
    const { sinkValidate } = events.v1.sinks(sink.sid);
    await expect(sinkValidate.create({ testId: 'TE1' })).rejects.toMatchObject({ status: 400 });
    const { testId = '' } = sandbox.twilio.world.sinks.get(sink.sid)!;
    expect(await sinkValidate.create({ testId })).toMatchObject({ result: 'valid' });
    expect((await events.v1.sinks.list({ status: 'active' })).map(({ sid }) => sid)).toEqual([sink.sid]);

    const subscription = await subscribe();
    await expect(subscribe()).rejects.toMatchObject({ status: 400, message: 'Sink is in use' });
    await expect(events.v1.sinks(sink.sid).remove()).rejects.toMatchObject({ status: 400 });
    const { subscribedEvents } = events.v1.subscriptions(subscription.sid);
    const subscribed = async () =>
      (await subscribedEvents.list()).map(({ type, schemaVersion }) => ({
        type,
        schema_version: schemaVersion,
      }));
    expect(await subscribed()).toEqual(types);
    const more = 'com.twilio.apiusage.taskrouter.ratelimits';
    await subscribedEvents.create({ type: more });
    const one = events.v1.subscriptions(subscription.sid).subscribedEvents(types[0]!.type);
    await one.update({ schemaVersion: 3 });
    expect((await subscribed())[0]).toMatchObject({ schema_version: 3 });
    expect(await subscribed()).toHaveLength(3);
    await one.remove();
    await expect(one.update({ schemaVersion: 3 })).rejects.toMatchObject({ status: 404 });
    expect((await events.v1.subscriptions.list({ sinkSid: sink.sid })).map(({ sid }) => sid)).toEqual([
      subscription.sid,
    ]);
    expect(await events.v1.subscriptions(subscription.sid).remove()).toBe(true);
    expect(await events.v1.sinks(sink.sid).remove()).toBe(true);
    await expect(events.v1.sinks(sink.sid).fetch()).rejects.toMatchObject({ status: 404 });
  });

  test('conversations by page, by state and by the day that they began, newest first', async () => {
    const { conversations } = client.conversations.v1;
    const day = 86_400;
    const old = await control<{ conversation: string }>('conversations', { ageSeconds: 3 * day });
    const open = await control<{ conversation: string }>('conversations', { closed: false });
    const told = await control<{ conversation: string }>('texts', { channel: 'sms', messages: 2 });
    const sids = async (options: object) => (await conversations.list(options)).map(({ sid }) => sid);
    expect(await sids({ pageSize: 2 })).toEqual([told.conversation, open.conversation, old.conversation]);
    expect(exchanges).toHaveLength(2);
    expect(await sids({ state: 'active' })).toEqual([open.conversation]);
    const date = (back: number) => new Date(Date.now() - back * day * 1_000).toISOString().slice(0, 10);
    expect(await sids({ startDate: date(4), endDate: date(2) })).toEqual([old.conversation]);
    expect(await sids({ startDate: new Date(Date.now() - 2 * day * 1_000).toISOString() })).toHaveLength(2);
    expect(await conversations(old.conversation).fetch()).toMatchObject({ state: 'closed' });
    await expect(conversations(`CH${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({ status: 404 });
    await expect(conversations.list({ startDate: 'soon' })).rejects.toMatchObject({ status: 400 });
  });

  test('the messages of a conversation, at most 100 on a page, and who takes part', async () => {
    const { conversation } = await control<{ conversation: string }>('conversations', {
      channel: 'whatsapp',
      address: '+4915550100143',
      messages: 201,
    });
    const { messages, participants } = client.conversations.v1.conversations(conversation);
    const all = await messages.list({ pageSize: 100 });
    expect([all.length, exchanges.length]).toEqual([201, 3]);
    expect(all.map(({ index }) => index).slice(0, 3)).toEqual([0, 1, 2]);
    expect((await messages.list({ order: 'desc', limit: 1 }))[0]?.index).toBe(200);
    const [customer, agent] = await participants.list();
    expect(customer).toMatchObject({
      identity: null,
      messagingBinding: { type: 'whatsapp', address: 'whatsapp:+4915550100143' },
    });
    expect(all.map(({ participantSid }) => participantSid).slice(0, 2)).toEqual([customer?.sid, agent?.sid]);
  });

  test('an interaction is fetched by its SID', async () => {
    const { task } = await control<{ task: string }>('texts', { channel: 'whatsapp' });
    const { attributes } = await workspace().tasks(task).fetch();
    const { flexInteractionSid: sid } = JSON.parse(attributes) as { flexInteractionSid: string };
    expect(await client.flexApi.v1.interaction(sid).fetch()).toMatchObject({
      sid,
      channel: { type: 'whatsapp' },
    });
    const none = client.flexApi.v1.interaction(`KD${'0'.repeat(32)}`);
    await expect(none.fetch()).rejects.toMatchObject({ status: 404 });
  });

  test('types with their schema, and its newest version', async () => {
    const types = await client.events.v1.eventTypes.list({ pageSize: 20 });
    const { schemaId } = types.find(({ type }) => type === 'com.twilio.taskrouter.reservation.accepted')!;
    expect(await client.events.v1.schemas(schemaId).fetch()).toMatchObject({ latestVersion: 4 });
    await expect(client.events.v1.schemas('None').fetch()).rejects.toMatchObject({ status: 404 });
  });
});
