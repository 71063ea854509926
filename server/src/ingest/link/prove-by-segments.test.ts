import type { RecordingRow } from '../../catalog/recording-row.ts';
import type { SegmentHint } from '../deps.ts';
import type { FakeTwilio } from '../testing/fake-twilio.ts';
import { house, sharedDatabase } from '../testing/house.ts';
import { recorded, scene, sids } from '../testing/scene.ts';
import { addressesOfWorkers } from './identity.ts';
import { proveBySegments } from './prove-by-segments.ts';

const { task, otherTask, reservation, otherReservation, worker, otherWorker, leg, otherLeg, conference } =
  sids;
const mine: SegmentHint = { taskSid: task, reservationSid: reservation, workerSid: worker };
const others: SegmentHint = {
  ...{ taskSid: otherTask, reservationSid: otherReservation, workerSid: otherWorker },
};

const prove = (twilio: FakeTwilio, of: Partial<RecordingRow>, segments: readonly SegmentHint[]) =>
  proveBySegments(
    { twilio, isAddressOf: addressesOfWorkers({ about: async () => undefined }, twilio) },
    of as RecordingRow,
    segments,
  );

/** TaskRouter deletes tasks some minutes after their end, with their reservations. */
function afterwards(): FakeTwilio {
  const twilio = scene();
  twilio.tasks.clear();
  twilio.reserved.clear();
  return twilio;
}

test('while the task is there, TaskRouter proves the segment as it proves a hint', async () => {
  expect(await prove(scene(), { callSid: leg }, [others, mine])).toMatchObject({
    level: 'reservation',
    reservationSid: reservation,
    workerSid: worker,
  });
});

test("a leg whose task is gone is of the segment's worker whom Twilio dialled", async () => {
  expect(await prove(afterwards(), { callSid: leg }, [others, mine])).toEqual(mine);
});

test("an agent who ties another agent's call to the own task gets no recording of it", async () => {
  for (const twilio of [scene(), afterwards()]) {
    expect(await prove(twilio, { callSid: otherLeg }, [mine])).toBeUndefined();
    expect(await prove(twilio, { callSid: sids.customerLeg }, [others])).toBeUndefined();
  }
});

test("a conference whose task is gone is of the task that has its name, and of no single agent's", async () => {
  const twilio = afterwards();
  expect(await prove(twilio, { conferenceSid: conference }, [mine, others])).toBeUndefined();
  twilio.conferenceNames.set(conference, otherTask);
  expect(await prove(twilio, { conferenceSid: conference }, [mine])).toBeUndefined();
  expect(await prove(twilio, { conferenceSid: conference }, [mine, others])).toEqual({ taskSid: otherTask });
});

test('without a segment Twilio is not asked', async () => {
  const twilio = scene();
  expect(await prove(twilio, { callSid: leg, conferenceSid: conference }, [])).toBeUndefined();
  expect(twilio.asked).toEqual([]);
});

describe('the linker', () => {
  const shared = sharedDatabase();

  /** Reconciliation has registered the leg of a call whose task does not name it. */
  async function reconciled(twilio: FakeTwilio) {
    recorded(twilio, 1);
    const host = await house(twilio, shared.db, { segmentsOf: async () => [mine] });
    const facts = twilio.recordings.get(sids.recording(1));
    if (!facts) throw new Error('there is no recording');
    await host.catalog.register({
      ...{ recordingSid: facts.sid, accountSid: facts.accountSid, callSid: leg, channels: 2 },
      ...{ startedAt: facts.startedAt, hints: {}, source: 'reconcile' },
    });
    await host.queue.run('link', { recordingSid: facts.sid });
    return (await host.catalog.find(facts.sid)) as RecordingRow;
  }

  test('links a recording without hints to the task of its segment', async () => {
    const twilio = scene();
    twilio.write(task, (attributes) => {
      delete attributes['conference'];
    });
    expect(await reconciled(twilio)).toMatchObject({ linkState: 'linked', ...mine });
    expect(twilio.tasks.get(task)?.attributes).toContain(sids.recording(1));
  });

  test('notes whose recording it is although the task is gone', async () => {
    expect(await reconciled(afterwards())).toMatchObject({
      ...{ linkState: 'unlinked', linkReason: 'task_gone', ...mine, unproven: [] },
    });
  });
});
