import type { AgentChannel, TalkMetrics } from '@flex-custody/core';
import { frameMs } from './voice-activity.ts';

/** A shorter sound is a click, a breath or a key. */
export const leastBurstMs = 80;
/** A shorter pause is within a sentence. */
export const mostGapMs = 300;
/** A monologue continues over pauses of its speaker up to this. */
export const monologuePauseMs = 2_000;
/** A monologue continues over interjections up to this: "yes", "mm-hm". */
export const interjectionMs = 500;

const frames = (ms: number): number => ms / frameMs;

/** A stretch of frames: the first, and the one after the last. */
export type Turn = readonly [from: number, to: number];

/**
 * When one channel speaks: bursts that are too short do not count, and short gaps do not end a turn.
 * @param active a byte for each frame; `bit` is this channel's
 */
export function turnsOf(active: Uint8Array, bit: 1 | 2): Turn[] {
  const bursts: Turn[] = [];
  for (let at = 0; at < active.length; at += 1) {
    if (((active[at] ?? 0) & bit) === 0) continue;
    const from = at;
    while (((active[at] ?? 0) & bit) !== 0) at += 1;
    if (at - from >= frames(leastBurstMs)) bursts.push([from, at]);
  }
  return joined(bursts, mostGapMs);
}

/** Joins neighbours with a shorter gap between them. */
function joined(turns: readonly Turn[], gapMs: number): Turn[] {
  const all: Turn[] = [];
  for (const [from, to] of turns) {
    const last = all.at(-1);
    if (last && from - last[1] < frames(gapMs)) all[all.length - 1] = [last[0], to];
    else all.push([from, to]);
  }
  return all;
}

/** The longest monologue of `own`, in frames, from its first word to its last. */
export function longestMonologue(own: readonly Turn[], other: readonly Turn[]): number {
  const claims = other.filter(([from, to]) => to - from > frames(interjectionMs));
  let longest = 0;
  let begun: number | undefined;
  let ended = 0;
  for (const [from, to] of cutAt(own, claims)) {
    const interrupted = claims.some(([start]) => start >= ended && start < from);
    if (begun === undefined || interrupted || from - ended > frames(monologuePauseMs)) begun = from;
    ended = to;
    longest = Math.max(longest, ended - begun);
  }
  return longest;
}

/** The parts of turns outside the other channel's claims to the floor. */
function cutAt(turns: readonly Turn[], claims: readonly Turn[]): Turn[] {
  const left: Turn[] = [];
  let claim = 0;
  for (const [from, to] of turns) {
    let at = from;
    while (claim < claims.length && (claims[claim]?.[1] ?? 0) <= from) claim += 1;
    for (let next = claim; next < claims.length; next += 1) {
      const [start, end] = claims[next] as Turn;
      if (start >= to) break;
      if (start > at) left.push([at, start]);
      at = Math.max(at, end);
    }
    if (at < to) left.push([at, to]);
  }
  return left;
}

const lengthOf = (turns: readonly Turn[]): number => turns.reduce((sum, [from, to]) => sum + to - from, 0);

function overlap(a: readonly Turn[], b: readonly Turn[]): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [one, two] = [a[i] as Turn, b[j] as Turn];
    sum += Math.max(0, Math.min(one[1], two[1]) - Math.max(one[0], two[0]));
    if (one[1] < two[1]) i += 1;
    else j += 1;
  }
  return sum;
}

/**
 * How long each channel spoke.
 * @param active a byte for each frame, bit 0 and 1: the channels
 * @param totalMs of the recording
 */
export function talkMetrics(active: Uint8Array, agent: AgentChannel, totalMs: number): TalkMetrics {
  const [first, second] = [turnsOf(active, 1), turnsOf(active, 2)];
  const [ofAgent, ofCustomer] = agent === 0 ? [first, second] : [second, first];
  const ms = (count: number) => Math.min(totalMs, count * frameMs);
  const agentMs = ms(lengthOf(ofAgent));
  const customerMs = ms(lengthOf(ofCustomer));
  const crosstalkMs = ms(overlap(ofAgent, ofCustomer));
  const agentMonologueMs = ms(longestMonologue(ofAgent, ofCustomer));
  const customerMonologueMs = ms(longestMonologue(ofCustomer, ofAgent));
  return {
    agentMs,
    customerMs,
    crosstalkMs,
    silenceMs: Math.max(0, totalMs - agentMs - customerMs + crosstalkMs),
    longestMonologueMs: Math.max(agentMonologueMs, customerMonologueMs),
    agentMonologueMs,
    customerMonologueMs,
  };
}
