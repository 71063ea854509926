import type { EventRule } from './event-mapping.ts';
import type { FieldRule } from './field-mapping.ts';
import type { Fields } from './fields.ts';

type ValueOf<F> = F extends { kind: 'flag' }
  ? boolean
  : F extends { kind: 'whole' | 'number' }
    ? number
    : F extends { kind: 'choice'; values: readonly (infer V)[] }
      ? V
      : F extends { kind: 'choices'; values: readonly (infer V)[] }
        ? readonly V[]
        : F extends { kind: 'group'; fields: infer G }
          ? ValuesOf<G>
          : string;

type Always<T> = {
  [K in keyof T]: T[K] extends { default: unknown } | { required: true } ? K : never;
}[keyof T];
type ValuesOf<T> = { readonly [K in Always<T>]: ValueOf<T[K]> } & {
  readonly [K in Exclude<keyof T, Always<T>>]?: ValueOf<T[K]>;
};

type Special =
  | 'channels'
  | 'consent'
  | 'csat'
  | 'event_mapping'
  | 'field_mapping'
  | 'lists'
  | 'limits'
  | 'sync';

/** The connector's file as it was read, with defaults, under the keys of the file. */
export type BrevoConfig = ValuesOf<Omit<Fields, Special>> & {
  readonly [K in 'lists' | 'limits' | 'sync']: ValueOf<Fields[K]>;
} & {
  readonly channels: NonNullable<ValueOf<Fields['channels']>>;
  /** `attribute` is a path below the task's attributes. */
  readonly consent: 'all' | { readonly attribute: string };
  /** Undefined: no attribute is a score. */
  readonly csat: { readonly measure: string; readonly scale?: number } | undefined;
  readonly field_mapping: readonly FieldRule[];
  readonly event_mapping: readonly EventRule[];
};
