import type { Call, World } from '../world.ts';

export interface RingOptions {
  direction: 'inbound' | 'outbound' | 'internal';
  channel: 'voice' | 'chat';
  worker: string;
  queue: string;
  /** Laid over what Flex itself would put there. */
  attributes: Record<string, unknown>;
  /** Whom an outbound call is for; a customer where absent. */
  to?: string;
}

export const customerNumber = '+14155550142';
export const ownNumber = '+14155550199';

/** A task's attributes as Flex makes them, before an agent accepts. */
export function firstAttributes(
  world: World,
  options: RingOptions,
  customerCall: Call | undefined,
): Record<string, unknown> {
  return { ...base(world, options, customerCall), ...options.attributes };
}

function base(world: World, options: RingOptions, customerCall: Call | undefined): Record<string, unknown> {
  if (options.channel === 'chat') {
    return { channelType: 'web', direction: 'inbound', name: 'Dana Diaz', customerName: 'Dana Diaz' };
  }
  if (options.direction === 'inbound') {
    return {
      account_sid: world.account.accountSid,
      call_sid: customerCall?.sid,
      called: ownNumber,
      caller: customerNumber,
      direction: 'inbound',
      from: customerNumber,
      from_country: 'US',
      name: customerNumber,
      to: ownNumber,
      to_country: 'US',
    };
  }
  const to = options.to ?? (options.direction === 'internal' ? colleague(world, options) : customerNumber);
  return {
    direction: 'outbound',
    from: ownNumber,
    outbound_to: to,
    name: to,
    to,
    ...(options.direction === 'internal' ? { client_call: true } : {}),
  };
}

function colleague(world: World, { worker }: RingOptions): string {
  const other = [...world.workers.values()].find(({ sid }) => sid !== worker);
  return `client:${other?.identity}`;
}
