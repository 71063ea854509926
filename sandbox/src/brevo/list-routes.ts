import type { FastifyInstance, FastifyRequest } from 'fastify';
import { contactBody, page } from './contact-routes.ts';
import type { BrevoContact } from './contacts.ts';
import { normalIdentifier } from './identifiers.ts';
import type { ContactList } from './lists.ts';
import { invalid, missing } from './refusal.ts';
import type { Brevo } from './state.ts';
import { type Json, objectOf } from './wanted.ts';

const mostContacts = 150;

export function listRoutes(app: FastifyInstance, brevo: Brevo): void {
  const { contacts, lists } = brevo;
  const membersOf = ({ id }: ContactList) => contacts.all().filter(({ listIds }) => listIds.has(id));
  const listBody = (list: ContactList) => {
    const members = membersOf(list).length;
    return {
      id: list.id,
      name: list.name,
      totalBlacklisted: 0,
      totalSubscribers: members,
      uniqueSubscribers: members,
      folderId: list.folderId,
    };
  };
  const listOf = (request: FastifyRequest) => {
    const { id } = request.params as { id: string };
    if (!/^\d{1,9}$/.test(id)) throw invalid('List ID is not valid');
    return lists.get(Number(id));
  };

  app.get('/contacts/lists', async (request) => {
    const { limit, offset } = page(request, 10, 50);
    const all = lists.all();
    return { count: all.length, lists: all.slice(offset, offset + limit).map(listBody) };
  });
  app.post('/contacts/lists', async (request, reply) => {
    const { name, folderId } = objectOf(request.body);
    if (typeof name !== 'string' || name === '') throw missing('name is missing');
    if (typeof folderId !== 'number') throw missing('folderId is missing');
    return reply.code(201).send({ id: lists.create(name, folderId).id });
  });
  app.get('/contacts/lists/:id', async (request) => {
    const list = listOf(request);
    return {
      ...listBody(list),
      createdAt: new Date(list.createdAt).toISOString(),
      dynamicList: false,
      campaignStats: [],
    };
  });
  app.get('/contacts/lists/:id/contacts', async (request) => {
    const { limit, offset } = page(request, 50, 500);
    const members = membersOf(listOf(request));
    return { count: members.length, contacts: members.slice(offset, offset + limit).map(contactBody) };
  });
  app.post('/contacts/lists/:id/contacts/add', async (request, reply) => {
    const { id } = listOf(request);
    return reply.code(201).send(
      change(brevo, request, 'already in list', (contact) => {
        const isNew = !contact.listIds.has(id);
        contact.listIds.add(id);
        return isNew;
      }),
    );
  });
  app.post('/contacts/lists/:id/contacts/remove', async (request, reply) => {
    const { id } = listOf(request);
    return reply
      .code(201)
      .send(change(brevo, request, 'already removed from list', (contact) => contact.listIds.delete(id)));
  });
}

/** Adds or removes the contacts that a body names in one of three ways. @throws BrevoRefusal 400 where none was changed */
function change(
  brevo: Brevo,
  request: FastifyRequest,
  already: string,
  act: (contact: BrevoContact) => boolean,
) {
  const body = objectOf(request.body);
  const named = namedIn(brevo, body);
  if (named.length === 0) throw missing('one of emails, ids and extIds is needed');
  if (named.length > mostContacts) throw invalid(`at most ${mostContacts} contacts`);
  const [success, failure]: [unknown[], unknown[]] = [[], []];
  for (const { name, contact } of named) {
    const did = contact !== undefined && act(contact);
    (did ? success : failure).push(name);
  }
  if (success.length === 0) throw invalid(`Contact ${already} and/or does not exist`);
  return { contacts: { success, failure } };
}

function namedIn({ contacts }: Brevo, body: Json): { name: unknown; contact: BrevoContact | undefined }[] {
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  const by = (kind: 'email' | 'ext_id', values: unknown) =>
    texts(values).map((name) => ({ name, contact: contacts.by(kind, normalIdentifier(kind, name)) }));
  const ids = Array.isArray(body['ids']) ? body['ids'] : [];
  return [
    ...by('email', body['emails']),
    ...by('ext_id', body['extIds']),
    ...ids.map((id: unknown) => ({ name: id, contact: contacts.byId(Number(id)) })),
  ];
}
