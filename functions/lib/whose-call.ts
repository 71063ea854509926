import {
  asConferenceSid,
  asTaskSid,
  type CallSid,
  type ConferenceSid,
  CustodyError,
  fieldsOf,
  hasLeg,
  ownLeg,
  type TaskSid,
  type WorkerSid,
} from '@flex-custody/core';
import {
  readAttributes,
  type TwilioApi,
  type TwilioLive,
  type TwilioLiveConference,
  type Viewer,
} from '@flex-custody/twilio';

/** What is asked about: the call where one is named, else the task's. The other SIDs tell where to look. */
export interface Asked {
  callSid?: CallSid;
  taskSid?: TaskSid;
  conferenceSid?: ConferenceSid;
}

/** A conference that lasts and in which the holder of the token is on the line. */
export interface OwnCall {
  conference: TwilioLiveConference;
  /** The holder's own. */
  leg: CallSid;
  workerSid: WorkerSid;
}

type Twilio = Pick<
  TwilioApi & TwilioLive,
  'task' | 'liveConferences' | 'liveConference' | 'callIsLive' | 'acceptedTasks'
>;

/**
 * Finds the live conference that is asked about and proves, by Twilio's facts alone, that the holder of the token is in it:
 * its participants' calls were dialled to `client:<identity>`. What a request or a task's attributes say, who may write
 * them, only says where to look. Cheap places first, each one a handful of parallel requests.
 * @throws CustodyError `call_not_live` (404) where there is no live conference, `not_your_call` (403)
 */
export async function ownCall(twilio: Twilio, viewer: Viewer, asked: Asked): Promise<OwnCall> {
  const { workerSid } = viewer;
  const { callSid, taskSid, conferenceSid } = asked;
  if (workerSid === undefined) throw notYours();
  const looks = new Map<ConferenceSid, Promise<TwilioLiveConference | undefined>>();
  const look = (sid: ConferenceSid) => {
    const known = looks.get(sid) ?? twilio.liveConference(sid);
    looks.set(sid, known);
    return known;
  };
  const named = async (tasks: readonly TaskSid[]) =>
    (await Promise.all(tasks.map((task) => twilio.liveConferences(task)))).flat();
  let accepting: Promise<TaskSid[]> | undefined;
  const accepted = () => {
    accepting ??= twilio.acceptedTasks(workerSid);
    return accepting;
  };
  /** Where the task is what is asked about, another of the worker's calls is no answer. */
  const candidates = async () =>
    (await accepted()).filter((task) => callSid !== undefined || taskSid === undefined || task === taskSid);

  const places: (() => Promise<ConferenceSid[]>)[] = [
    async () => (conferenceSid ? [conferenceSid] : []),
    () => named(taskSid ? [taskSid] : []),
    async () => named((await candidates()).filter((task) => task !== taskSid)),
    async () => attributed(twilio, await candidates()),
  ];
  for (const place of places) {
    const found = await Promise.all([...new Set(await place())].map(look));
    for (const conference of found) {
      const leg = conference && ownLeg(conference, viewer);
      if (!conference || leg === undefined) continue;
      if (callSid ? hasLeg(conference, callSid) : await isOf(conference, taskSid, accepted))
        return { conference, leg, workerSid };
    }
  }
  const anyLive = (await Promise.all(looks.values())).some((conference) => conference !== undefined);
  if (anyLive || (callSid && (await twilio.callIsLive(callSid)))) throw notYours();
  throw new CustodyError('call_not_live', 'there is no such call in progress');
}

/** Flex names a conference after its task; one that is named otherwise is the task's if the worker accepted that task. */
async function isOf(
  { friendlyName }: TwilioLiveConference,
  task: TaskSid | undefined,
  accepted: () => Promise<TaskSid[]>,
): Promise<boolean> {
  if (task === undefined || friendlyName === task) return true;
  return asTaskSid(friendlyName) === undefined && (await accepted()).includes(task);
}

/** Conferences that tasks' attributes name. */
async function attributed(twilio: Twilio, tasks: readonly TaskSid[]): Promise<ConferenceSid[]> {
  const found = await Promise.all(tasks.map((task) => twilio.task(task)));
  return found.flatMap((task) => {
    const conference = fieldsOf(readAttributes(task?.attributes ?? '')?.['conference']);
    return asConferenceSid(conference['sid']) ?? [];
  });
}

const notYours = () => new CustodyError('not_your_call', 'the holder of the token is not on this call');
