import { invalid, unknown } from './refusal.ts';

export interface ContactList {
  id: number;
  name: string;
  folderId: number;
  createdAt: number;
}

/** Lists that the sandbox's account has from the start; the local stack names them in the connector's file. */
export const usualLists = { supportContacts: 3, csatRespondents: 4 } as const;

export interface Lists {
  all(): readonly ContactList[];
  create(name: string, folderId?: number): ContactList;
  /** @throws BrevoRefusal 404 */
  get(id: number): ContactList;
  remove(id: number): void;
  /** @throws BrevoRefusal 400 where one of them is no list of the account */
  known(ids: unknown): readonly number[];
  clear(): void;
}

export function createLists(now: () => number): Lists {
  const lists = new Map<number, ContactList>();
  let last = 0;
  const add = (id: number, name: string, folderId: number): ContactList => {
    const list = { id, name, folderId, createdAt: now() };
    lists.set(id, list);
    last = Math.max(last, id);
    return list;
  };
  const clear = () => {
    lists.clear();
    last = 0;
    add(usualLists.supportContacts, 'Support contacts', 1);
    add(usualLists.csatRespondents, 'CSAT respondents', 1);
  };
  clear();
  return {
    all: () => [...lists.values()],
    create: (name, folderId = 1) => add(last + 1, name, folderId),
    get(id) {
      const list = lists.get(id);
      if (!list) throw unknown('List ID does not exist');
      return list;
    },
    remove: (id) => void lists.delete(id),
    known(ids) {
      if (ids === undefined) return [];
      if (!Array.isArray(ids) || !ids.every((id) => lists.has(id))) throw invalid('List ID does not exist');
      return ids as number[];
    },
    clear,
  };
}
