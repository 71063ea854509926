import type { Interaction as Segment } from '../recorder/sessions/contact.ts';
import { earliest } from '../recorder/sessions/order.ts';
import type { Task } from '../recorder/sessions/task.ts';

/**
 * When an agent first handed the contact to another one, epoch ms: by a transfer, through a queue, or by a task of its own that was
 * made while the first agent was connected. An agent who was asked and left first took nothing over.
 * @param accepted segments that agents took, in order of their offers
 */
export function transferredAt(accepted: readonly Segment[], tasks: readonly Task[]): number | undefined {
  const createdAt = new Map(tasks.map((task) => [task.sid, task.createdAt]));
  return earliest(
    accepted.flatMap((one) => {
      if (one.endReason === 'transferred') return one.endedAt ?? [];
      if (one.acceptedAt === undefined) return [];
      const isAgain = accepted.some(
        ({ taskSid, offeredAt }) => taskSid === one.taskSid && offeredAt < one.offeredAt,
      );
      if (one.via === 're-queue' && isAgain) return one.acceptedAt;
      const made = one.taskSid === undefined ? undefined : createdAt.get(one.taskSid);
      if (made === undefined) return [];
      const from = accepted.some(
        (other) =>
          other.taskSid !== one.taskSid &&
          other.kind === one.kind &&
          other.acceptedAt !== undefined &&
          other.endedAt !== undefined &&
          other.acceptedAt <= made &&
          made <= other.endedAt &&
          (one.endedAt === undefined || one.endedAt > other.endedAt),
      );
      return from ? one.acceptedAt : [];
    }),
  );
}
