import type { Identities } from '../../access/identities.ts';
import { FakeTwilio } from '../testing/fake-twilio.ts';
import { scene, sids } from '../testing/scene.ts';
import { addressesOfWorkers, decodeIdentity, encodeIdentity } from './identity.ts';
import { type Hints, prove as proveBy, type Recorded } from './prove.ts';

const { task, otherTask, reservation, otherReservation, worker, leg, otherLeg, customerLeg, conference } =
  sids;

/** IAM has stated nothing. */
const silent: Pick<Identities, 'about'> = { about: async () => undefined };
const prove = (twilio: FakeTwilio, recorded: Recorded, hints: Hints) =>
  proveBy({ twilio, isAddressOf: addressesOfWorkers(silent, twilio) }, recorded, hints);

describe("a leg's recording", () => {
  const legHints = { taskSid: task, reservationSid: reservation };

  test('is the reservation of the worker whose leg Twilio dialled', async () => {
    expect(await prove(scene(), { callSid: leg }, legHints)).toMatchObject({
      level: 'reservation',
      taskSid: task,
      reservationSid: reservation,
      workerSid: worker,
      reservationUpdated: expect.any(Date),
    });
  });

  test("of another worker's leg is refused, even where the task's attributes name it", async () => {
    const twilio = scene();
    expect(await prove(twilio, { callSid: otherLeg }, legHints)).toEqual({
      level: 'refused',
      reason: 'leg_not_of_worker',
    });
    twilio.write(task, (attributes) => {
      attributes['conference'] = { participants: { worker: otherLeg } };
    });
    expect(await prove(twilio, { callSid: otherLeg }, legHints)).toMatchObject({ level: 'refused' });
  });

  test("with another task's reservation is refused", async () => {
    expect(
      await prove(scene(), { callSid: leg }, { taskSid: task, reservationSid: otherReservation }),
    ).toEqual({ level: 'refused', reason: 'reservation_not_of_task' });
    expect(
      await prove(scene(), { callSid: leg }, { taskSid: otherTask, reservationSid: otherReservation }),
    ).toEqual({ level: 'refused', reason: 'leg_not_of_worker' });
  });

  test('with a reservation that turns out to be of another task is refused', async () => {
    const twilio = scene();
    const foreign = twilio.reserved.get(otherReservation);
    twilio.reservation = async () => foreign && { ...foreign, workerSid: worker };
    for (const recorded of [{ callSid: leg }, { conferenceSid: sids.otherConference }]) {
      expect(
        await prove(twilio, recorded, { taskSid: task, reservationSid: otherReservation }),
      ).toMatchObject({ reason: 'reservation_not_of_task' });
    }
  });

  test('a leg or a worker that Twilio does not know proves nothing', async () => {
    const twilio = scene();
    twilio.calls.delete(leg);
    expect(await prove(twilio, { callSid: leg }, legHints)).toMatchObject({ reason: 'leg_not_of_worker' });
    const other = scene();
    other.workers.delete(worker);
    expect(await prove(other, { callSid: leg }, legHints)).toMatchObject({ reason: 'leg_not_of_worker' });
  });

  test("the customer's leg proves the task that names it, and no reservation", async () => {
    expect(await prove(scene(), { callSid: customerLeg }, legHints)).toMatchObject({
      level: 'task',
      taskSid: task,
    });
    expect(
      await prove(
        scene(),
        { callSid: customerLeg },
        { taskSid: otherTask, reservationSid: otherReservation },
      ),
    ).toMatchObject({ level: 'refused' });
  });

  test('with only the task hinted needs the task to name it', async () => {
    expect(await prove(scene(), { callSid: leg }, { taskSid: task })).toMatchObject({
      level: 'task',
      taskSid: task,
    });
    expect(await prove(scene(), { callSid: leg }, { taskSid: otherTask })).toEqual({
      level: 'refused',
      reason: 'call_not_of_task',
    });
  });

  test('of a worker is the task where that worker had a reservation, whatever the attributes say', async () => {
    const twilio = scene();
    twilio.write(task, (attributes) => {
      delete attributes['conference'];
    });
    expect(await prove(twilio, { callSid: leg }, { taskSid: task })).toMatchObject({
      level: 'task',
      taskSid: task,
    });
    twilio.write(otherTask, (attributes) => {
      attributes['conference'] = { participants: { worker: leg } };
    });
    for (const hints of [{ taskSid: otherTask }, {}]) {
      expect(await prove(twilio, { callSid: leg }, hints)).toEqual({
        level: 'refused',
        reason: 'call_not_of_task',
      });
    }
  });
});

describe("a conference's recording", () => {
  /** As Flex leaves an outbound call's: its attributes name neither conference nor call. */
  const outbound = () => {
    const twilio = scene();
    const stored = twilio.tasks.get(task);
    if (stored) stored.attributes = '{"direction":"outbound","outbound_to":"+15550100"}';
    twilio.conferenceNames.set(conference, task);
    return twilio;
  };
  const recorded = { callSid: customerLeg, conferenceSid: conference };

  test('of an outbound call is the task that Flex named the conference after', async () => {
    const twilio = outbound();
    twilio.conferences.clear();
    for (const hints of [{ taskSid: task }, { taskSid: task, reservationSid: reservation }, {}]) {
      expect(await prove(twilio, recorded, hints)).toMatchObject({ level: 'task', taskSid: task });
    }
  });

  test("under another name it is the task whose worker's leg took part, with the task alone hinted", async () => {
    const twilio = outbound();
    twilio.conferenceNames.set(conference, 'a room of our own');
    expect(await prove(twilio, recorded, { taskSid: task })).toMatchObject({ level: 'task', taskSid: task });
    expect(await prove(twilio, recorded, { taskSid: otherTask })).toMatchObject({ level: 'refused' });
  });

  test("named after one task is not another's, though that one's attributes and hints claim it", async () => {
    const twilio = outbound();
    twilio.write(otherTask, (attributes) => {
      attributes['conference'] = { sid: conference };
    });
    const claim = { taskSid: otherTask, reservationSid: otherReservation };
    const refused = { level: 'refused', reason: 'conference_not_of_task' };
    twilio.conferenceNames.set(conference, 'a room of our own');
    expect(await prove(twilio, recorded, claim)).toEqual(refused);
    twilio.conferenceNames.set(conference, task);
    twilio.conferences.clear();
    expect(await prove(twilio, recorded, claim)).toEqual(refused);
    // Where Twilio names neither task nor worker, nothing is left but the attributes.
    twilio.conferenceNames.set(conference, 'a room of our own');
    expect(await prove(twilio, recorded, claim)).toMatchObject({ level: 'task', taskSid: otherTask });
  });

  test('with a reservation that is not of the task is refused, however well the rest fits', async () => {
    expect(await prove(outbound(), recorded, { taskSid: task, reservationSid: otherReservation })).toEqual({
      level: 'refused',
      reason: 'reservation_not_of_task',
    });
  });

  test('is the task that names the conference, never one reservation', async () => {
    expect(
      await prove(
        scene(),
        { callSid: customerLeg, conferenceSid: conference },
        { taskSid: task, reservationSid: reservation },
      ),
    ).toMatchObject({ level: 'task', taskSid: task });
  });

  test('is the task of a worker who took part, where the task names none', async () => {
    const twilio = scene();
    twilio.write(task, (attributes) => {
      delete attributes['conference'];
    });
    const recorded = { conferenceSid: conference };
    expect(await prove(twilio, recorded, { taskSid: task, reservationSid: reservation })).toMatchObject({
      level: 'task',
      taskSid: task,
    });
    expect(await prove(twilio, recorded, { taskSid: otherTask, reservationSid: otherReservation })).toEqual({
      level: 'refused',
      reason: 'conference_not_of_task',
    });
    expect(await prove(twilio, recorded, { taskSid: task, reservationSid: otherReservation })).toEqual({
      level: 'refused',
      reason: 'reservation_not_of_task',
    });
  });
});

describe('without hints', () => {
  test('the one task that names the leg or the conference is found', async () => {
    expect(await prove(scene(), { callSid: leg }, {})).toMatchObject({ level: 'task', taskSid: task });
    expect(await prove(scene(), { conferenceSid: conference }, {})).toMatchObject({
      level: 'task',
      taskSid: task,
    });
  });

  test('none and several are told apart, and neither is guessed', async () => {
    const twilio = scene();
    expect(await prove(twilio, { callSid: otherLeg }, {})).toEqual({
      level: 'none',
      reason: 'task_not_found',
    });
    twilio.write(otherTask, (attributes) => {
      attributes['conference'] = { sid: conference };
    });
    expect(await prove(twilio, { conferenceSid: conference }, {})).toEqual({
      level: 'none',
      reason: 'task_ambiguous',
    });
  });
});

test('a task that is gone is neither proven nor refused', async () => {
  const twilio = scene();
  twilio.tasks.delete(task);
  expect(await prove(twilio, { callSid: leg }, { taskSid: task, reservationSid: reservation })).toEqual({
    level: 'none',
    reason: 'task_gone',
    taskSid: task,
  });
});

test('a claim on a recording of no call and no conference is refused', async () => {
  for (const hints of [{ taskSid: task }, { reservationSid: reservation }])
    expect(await prove(scene(), {}, hints)).toEqual({ level: 'refused', reason: 'nothing_to_prove_by' });
});

test('without a claim it is only not known', async () => {
  expect(await prove(scene(), {}, {})).toEqual({ level: 'none', reason: 'task_not_found' });
});

test.each(['task', 'reservation', 'call', 'worker'] as const)(
  'an outage of %s is thrown, not taken as an answer',
  async (name) => {
    const twilio = scene();
    twilio.failing.set(name, FakeTwilio.down);
    await expect(
      prove(twilio, { callSid: leg }, { taskSid: task, reservationSid: reservation }),
    ).rejects.toMatchObject({ code: 'twilio_unavailable', retryable: true });
  },
);

describe("a worker's address", () => {
  const twilio = scene();
  const who = (friendlyName: string, attributes: object = {}) => ({
    sid: worker,
    friendlyName,
    attributes: JSON.stringify(attributes),
  });
  const isAddressOf = addressesOfWorkers(silent, twilio);

  test('contact_uri, which a worker may write, proves no identity', async () => {
    const claims = who('agent@example.com', { contact_uri: 'client:victim' });
    expect(await isAddressOf(claims, 'client:victim')).toBe(false);
    expect(await isAddressOf(claims, 'client:agent_40example_2Ecom')).toBe(true);
  });

  test('what IAM stated decides, for the worker and against', async () => {
    const stated = (answer: Awaited<ReturnType<Identities['about']>>) =>
      addressesOfWorkers({ about: async () => answer }, twilio);
    const [ada, address] = [who('agent@example.com'), 'client:agent_40example_2Ecom'];
    expect(await stated('this-worker')(ada, 'client:sso-4711')).toBe(true);
    expect(await stated('another')(ada, address)).toBe(false);
    expect(await stated(undefined)(ada, address)).toBe(true);
    expect(await stated('this-worker')(ada, '+15550100')).toBe(false);
  });

  test('else the name does, encoded; a phone number never', async () => {
    expect(await isAddressOf(who('agent@example.com'), 'client:agent_40example_2Ecom')).toBe(true);
    expect(await isAddressOf(who('agent@example.com'), 'client:agent@example.com')).toBe(false);
    expect(await isAddressOf(who('agent'), 'client:agent')).toBe(true);
    expect(await isAddressOf(who(''), 'client:')).toBe(false);
    expect(await isAddressOf(who('+15550100'), '+15550100')).toBe(false);
  });

  test('a name that is an encoded one counts as it is only where no worker has the name it encodes', async () => {
    const raw = who('a_40b');
    expect(await isAddressOf(raw, 'client:a_40b')).toBe(true);
    twilio.workers.set(sids.otherWorker, { friendlyName: 'a@b', attributes: '{}' });
    expect(await isAddressOf(raw, 'client:a_40b')).toBe(false);
    expect(await isAddressOf({ ...raw, sid: sids.otherWorker, friendlyName: 'a@b' }, 'client:a_40b')).toBe(
      true,
    );
    // One that no name encodes to has no owner.
    for (const name of ['a_zz', 'a_5Fb_41', 'a_c3_a9', 'a_'])
      expect(await isAddressOf(who(name), `client:${name}`)).toBe(false);
  });

  test.each([
    ['agent@example.com', 'agent_40example_2Ecom'],
    ['a_b-c', 'a_5Fb_2Dc'],
    ['é', '_C3_A9'],
    ['plain7', 'plain7'],
  ])('%s is encoded as %s', (name, encoded) => {
    expect(encodeIdentity(name)).toBe(encoded);
    expect(decodeIdentity(encoded)).toBe(name);
  });
});
