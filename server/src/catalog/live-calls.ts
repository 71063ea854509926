import type { AccountSid, CallDirection, CallSid, ConferenceSid, TaskSid } from '@flex-custody/core';
import type { Db } from '../db/db.ts';

/** Who is on a call, as Twilio states it; numbers are stored as digests only. */
export interface Parties {
  /** The first leg that is not a worker's. */
  customerCallSid?: CallSid;
  /** Undefined while it is unknown; whether a call is internal is known only when it has ended. */
  direction?: CallDirection;
  caller?: string;
  /** Digests of every other number on the line. */
  others: readonly string[];
}

/** A conference that the host has seen live. */
export interface LiveCall extends Parties {
  conferenceSid: ConferenceSid;
  /** Flex names the conference of a voice task after the task. */
  taskSid?: TaskSid;
  /** Every leg that the host has ever read. */
  legs: readonly CallSid[];
  /** When the host first saw a worker's leg in it. */
  agentAt?: Date;
  /** Its start as Twilio states it; if unknown, when the host first saw it. */
  beganAt: Date;
  firstSeenAt: Date;
  /** When the host last read its legs. */
  readAt?: Date;
  endedAt?: Date;
  /** When Twilio first listed a recording of it. */
  recordedAt?: Date;
  /** When the host first raised an alarm that nothing records it. */
  alarmedAt?: Date;
  /** When the host found that a rule of the site keeps it from being recorded. */
  excusedAt?: Date;
}

export interface SeenConference {
  sid: ConferenceSid;
  taskSid?: TaskSid;
  createdAt: Date;
}

/** What a look has found. */
export interface Reading extends Parties {
  legs: readonly CallSid[];
  hasAgent: boolean;
}

/** The calls of one account, while they are live and for some weeks after. */
export interface LiveCalls {
  /** Notes conferences that are live now. */
  note(conferences: readonly SeenConference[]): Promise<void>;
  /** Calls that are not known to have ended. */
  open(): Promise<LiveCall[]>;
  find(sid: ConferenceSid): Promise<LiveCall | undefined>;
  /** Reserves the right to read the legs of a conference: false if another process has read them within `everyMs`. */
  mayRead(sid: ConferenceSid, everyMs: number): Promise<boolean>;
  /** Adds a reading; known facts stay. */
  read(sid: ConferenceSid, reading: Reading): Promise<LiveCall | undefined>;
  /** Notes that the call has ended. A call of several legs without a customer's leg was internal. */
  ended(sid: ConferenceSid): Promise<LiveCall | undefined>;
  recorded(sids: readonly ConferenceSid[]): Promise<void>;
  /** Notes an alarm about the call; true only the first time. */
  alarmed(sid: ConferenceSid): Promise<boolean>;
  excused(sid: ConferenceSid): Promise<void>;
  /** Live calls with an alarm that are still not recorded. */
  unrecorded(): Promise<ConferenceSid[]>;
  /** The calls to which a recording belongs: by its conference or leg, then by its proven task, if they overlap in time. */
  ofRecording(recording: {
    conferenceSid?: ConferenceSid;
    callSid?: CallSid;
    taskSid?: TaskSid;
    startedAt: Date;
    durationSeconds?: number;
  }): Promise<LiveCall[]>;
  /** Removes calls that ended so many days ago. */
  forget(days: number): Promise<void>;
}

interface Row {
  conference_sid: ConferenceSid;
  task_sid: TaskSid | null;
  legs: CallSid[];
  customer_call_sid: CallSid | null;
  direction: CallDirection | null;
  caller: string | null;
  others: string[];
  agent_at: Date | null;
  began_at: Date;
  first_seen_at: Date;
  read_at: Date | null;
  ended_at: Date | null;
  recorded_at: Date | null;
  alarmed_at: Date | null;
  excused_at: Date | null;
}

const callOf = (row: Row): LiveCall => ({
  conferenceSid: row.conference_sid,
  legs: row.legs,
  others: row.others,
  beganAt: row.began_at,
  firstSeenAt: row.first_seen_at,
  ...(row.task_sid && { taskSid: row.task_sid }),
  ...(row.customer_call_sid && { customerCallSid: row.customer_call_sid }),
  ...(row.direction && { direction: row.direction }),
  ...(row.caller && { caller: row.caller }),
  ...(row.agent_at && { agentAt: row.agent_at }),
  ...(row.read_at && { readAt: row.read_at }),
  ...(row.ended_at && { endedAt: row.ended_at }),
  ...(row.recorded_at && { recordedAt: row.recorded_at }),
  ...(row.alarmed_at && { alarmedAt: row.alarmed_at }),
  ...(row.excused_at && { excusedAt: row.excused_at }),
});

/** Twilio states whole seconds, and a leg may be recorded a little before its conference begins. */
const overlap = `interval '1 minute'`;

export function createLiveCalls(db: Pick<Db, 'query'>, account: AccountSid): LiveCalls {
  const some = async (sql: string, values: readonly unknown[]): Promise<LiveCall[]> =>
    (await db.query<Row>(sql, [account, ...values])).map(callOf);
  const one = async (sql: string, values: readonly unknown[]) => (await some(sql, values))[0];
  const set = (sid: ConferenceSid, assignments: string, where = 'true', values: readonly unknown[] = []) =>
    one(
      `UPDATE live_calls SET ${assignments} WHERE account_sid = $1 AND conference_sid = $2 AND ${where} RETURNING *`,
      [sid, ...values],
    );

  return {
    async note(conferences) {
      if (conferences.length === 0) return;
      await db.query(
        `INSERT INTO live_calls (account_sid, conference_sid, task_sid, began_at)
         SELECT $1, * FROM unnest($2::text[], $3::text[], $4::timestamptz[])
         ON CONFLICT (conference_sid) DO UPDATE SET
           last_seen_at = now(), began_at = least(live_calls.began_at, excluded.began_at), ended_at = NULL`,
        [
          account,
          conferences.map(({ sid }) => sid),
          conferences.map(({ taskSid }) => taskSid ?? null),
          conferences.map(({ createdAt }) => createdAt),
        ],
      );
    },
    open: () =>
      some('SELECT * FROM live_calls WHERE account_sid = $1 AND ended_at IS NULL ORDER BY began_at', []),
    find: (sid) => one('SELECT * FROM live_calls WHERE account_sid = $1 AND conference_sid = $2', [sid]),
    mayRead: async (sid, everyMs) =>
      (await set(
        sid,
        'read_at = now()',
        `(read_at IS NULL OR read_at <= now() - $3::double precision * interval '1 millisecond')`,
        [everyMs],
      )) !== undefined,
    read: (sid, { legs, customerCallSid, direction, caller, others, hasAgent }) =>
      set(
        sid,
        // The first customer stays; a number that joins later is one of the others.
        `legs = ARRAY(SELECT DISTINCT unnest(legs || $3::text[])),
         others = ARRAY(SELECT DISTINCT unnest(others || $7::text[] ||
           CASE WHEN customer_call_sid <> $4::text AND $6::text IS NOT NULL THEN ARRAY[$6::text] ELSE '{}' END)),
         direction = CASE WHEN customer_call_sid IS NULL THEN $5::text ELSE direction END,
         caller = CASE WHEN customer_call_sid IS NULL THEN $6::text ELSE caller END,
         customer_call_sid = coalesce(customer_call_sid, $4::text),
         agent_at = coalesce(agent_at, CASE WHEN $8::boolean THEN now() END), read_at = now()`,
        'true',
        [legs, customerCallSid ?? null, direction ?? null, caller ?? null, others, hasAgent],
      ),
    ended: (sid) =>
      set(
        sid,
        `ended_at = coalesce(ended_at, now()),
         direction = CASE WHEN customer_call_sid IS NULL AND cardinality(legs) > 1 THEN 'internal' ELSE direction END`,
      ),
    async recorded(sids) {
      await db.query(
        `UPDATE live_calls SET recorded_at = now()
         WHERE account_sid = $1 AND conference_sid = ANY($2::text[]) AND recorded_at IS NULL`,
        [account, sids],
      );
    },
    alarmed: async (sid) =>
      (await set(sid, 'alarmed_at = now()', 'alarmed_at IS NULL AND recorded_at IS NULL')) !== undefined,
    async excused(sid) {
      await set(sid, 'excused_at = now()', 'excused_at IS NULL');
    },
    async unrecorded() {
      const found = await some(
        'SELECT * FROM live_calls WHERE account_sid = $1 AND alarmed_at IS NOT NULL AND recorded_at IS NULL',
        [],
      );
      return found.map(({ conferenceSid }) => conferenceSid);
    },
    ofRecording: ({ conferenceSid, callSid, taskSid, startedAt, durationSeconds }) =>
      some(
        `SELECT * FROM live_calls
         WHERE account_sid = $1
           AND (conference_sid = $2 OR legs @> ARRAY[$3::text] OR task_sid = $4
             AND began_at <= $5::timestamptz + $6::double precision * interval '1 second' + ${overlap}
             AND (ended_at IS NULL OR ended_at >= $5::timestamptz - ${overlap}))
         ORDER BY (conference_sid IS NOT DISTINCT FROM $2 OR legs @> ARRAY[$3::text]) DESC, began_at`,
        [conferenceSid ?? null, callSid ?? null, taskSid ?? null, startedAt, durationSeconds ?? 0],
      ),
    async forget(days) {
      await db.query(
        `DELETE FROM live_calls WHERE account_sid = $1 AND ended_at < now() - $2::double precision * interval '1 day'`,
        [account, days],
      );
    },
  };
}
