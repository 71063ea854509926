import type { AgentEvent } from '../events/agent-event.ts';
import type { Contact } from '../recorder/sessions/contact.ts';
import type { Fact } from '../recorder/sessions/facts/fact.ts';
import { asText, fieldsIn } from '../recorder/sessions/facts/values.ts';
import type { Task } from '../recorder/sessions/task.ts';
import { toE164 } from '../retention/numbers.ts';
import type { Channel } from './interaction.ts';

/** An event of a contact with what it says. */
export interface SaidEvent {
  event: AgentEvent;
  fact: Fact;
}

/** By which attributes a task names its customer, the most exact one first. */
const attributesOf = {
  inbound: ['from', 'caller', 'customerAddress', 'name'],
  outbound: ['outbound_to', 'to', 'called', 'customerAddress', 'name'],
} as const;
/** A visitor of a web page may write any name in `from` and `name`, which identifies no customer. */
const ofWebchat = ['customerAddress', 'identity'] as const;
const ofText = ['customerAddress', 'from', 'name'] as const;

const prefix = /^(whatsapp|messenger|facebook|instagram|sms|mms|rcs|chat|web|email|line):(?=.)/i;

/** An address without the name of its channel, such as `whatsapp:`. */
const bare = (address: string): string => address.replace(prefix, '');

/** A task with its attributes, the newest of each name. */
export interface TaskAttributes {
  task: Pick<Task, 'direction' | 'customerCall'>;
  attributes: Readonly<Record<string, unknown>>;
}

/**
 * The customer's address: a number in E.164, or the identity of a web chat or of a further channel. Each task names it by its own
 * direction: in a callback's task the customer is the one who is called.
 * @param said in order of time
 * @param tasks without surveys, in order of their creation
 */
export function customerAddress(
  kind: Contact['kind'],
  channel: Channel,
  said: readonly SaidEvent[],
  tasks: readonly TaskAttributes[],
): string | undefined {
  const read =
    kind !== 'text' && channel === 'voice' ? ofVoice : channel === 'webchat' ? ofVisitor : ofMessages;
  const accept = channel === 'webchat' || channel === 'other' ? asIdentity : asNumber;
  const stated = [...tasks.flatMap((task) => read(task, said)), ...ofParticipants(said)];
  return stated.map(accept).find((address) => address !== undefined);
}

const named = ({ attributes }: TaskAttributes, names: readonly string[]): string[] =>
  names.flatMap((name) => asText(fieldsIn(attributes)(name)) ?? []);
const wayOf = ({ task }: TaskAttributes) => (task.direction === 'outbound' ? 'outbound' : 'inbound');

const ofVoice = (one: TaskAttributes, said: readonly SaidEvent[]): string[] => [
  ...ofCall(said, wayOf(one), one.task.customerCall),
  ...named(one, attributesOf[wayOf(one)]),
];
const ofVisitor = (one: TaskAttributes): string[] => named(one, ofWebchat);
const ofMessages = (one: TaskAttributes): string[] =>
  named(one, wayOf(one) === 'outbound' ? [...attributesOf.outbound, ...ofText] : ofText);

const asNumber = (address: string): string | undefined =>
  /^client:/i.test(address) ? undefined : toE164(bare(address));

const asIdentity = (address: string): string | undefined =>
  /^(anonymous|unknown|guest|user)$/i.test(bare(address)) ? undefined : bare(address);

/** What the customer's leg says; legs that lead to an agent say nothing of the customer. */
function ofCall(
  said: readonly SaidEvent[],
  way: 'inbound' | 'outbound',
  customerCall: string | undefined,
): string[] {
  return said.flatMap(({ event, fact }) => {
    if (fact.kind !== 'call' || fact.agentUri) return [];
    const isCustomers = customerCall === undefined ? fact.direction === way : fact.callSid === customerCall;
    if (!isCustomers) return [];
    const request = fieldsIn(event.data['request']);
    const of = fieldsIn(request('parameters') ?? event.data['parameters'] ?? event.data);
    return asText(way === 'inbound' ? (of('From') ?? of('Caller')) : (of('To') ?? of('Called'))) ?? [];
  });
}

/** How a participant of a conversation takes part in it; agents have an identity and no address. */
interface Binding {
  address: string;
  /** Such as `sms`, in small letters; empty where the event has none. */
  type: string;
}

function bindingsIn(said: readonly SaidEvent[]): Binding[] {
  return said.flatMap(({ event, fact }) => {
    if (fact.kind !== 'conversation' || !fact.name.startsWith('participant')) return [];
    const of = fieldsIn(event.data['payload'] ?? event.data);
    const binding = fieldsIn(of('MessagingBinding'));
    const stated = (name: string) => asText(binding(name)) ?? asText(of(`MessagingBinding.${name}`));
    const address = stated('Address');
    return address === undefined ? [] : [{ address, type: stated('Type')?.toLowerCase() ?? '' }];
  });
}

const ofParticipants = (said: readonly SaidEvent[]): string[] =>
  bindingsIn(said).map(({ address }) => address);

const ofBindings: Readonly<Record<string, Channel>> = {
  sms: 'sms',
  whatsapp: 'whatsapp',
  web: 'webchat',
  webchat: 'webchat',
  chat: 'webchat',
};

/**
 * The channel of a contact whose own channel is a general one, such as `chat`: that of its addresses, else of the first participant
 * who has one. Undefined where nothing names one.
 */
export function channelOfAddresses(
  merged: Readonly<Record<string, unknown>>,
  said: readonly SaidEvent[],
): Channel | undefined {
  const named = [...ofText, ...attributesOf.outbound].flatMap((name) => asText(fieldsIn(merged)(name)) ?? []);
  const bindings = bindingsIn(said);
  const addresses = [...named, ...bindings.map(({ address }) => address)];
  if (addresses.some((address) => /^whatsapp:/i.test(address))) return 'whatsapp';
  const [first] = bindings;
  if (!first) return undefined;
  if (first.type !== '') return ofBindings[first.type] ?? 'other';
  return /^\+\d/.test(first.address) ? 'sms' : undefined;
}
