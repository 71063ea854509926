import { CustodyError } from '@flex-custody/core';

/** What the data source needs of the store of secrets. */
export interface Secrets {
  get(name: string): Promise<string | undefined>;
  set(name: string, value: string, by: string): Promise<void>;
  list(): Promise<readonly { name: string }[]>;
  remove(name: string, by: string): Promise<boolean>;
}

/** For a host without a store of secrets: none is set, and none can be. */
export const noSecrets: Secrets = {
  get: async () => undefined,
  list: async () => [],
  remove: async () => false,
  set: async (name) => {
    throw new CustodyError('data_source_invalid', `${name}: this host has no store of secrets`);
  },
};
