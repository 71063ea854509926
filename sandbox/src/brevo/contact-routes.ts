import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BrevoContact } from './contacts.ts';
import { identifierTypes, normalIdentifier } from './identifiers.ts';
import { BrevoRefusal, invalid, missing, unknown } from './refusal.ts';
import type { Brevo } from './state.ts';
import { isObject, type Json, objectOf, wantedContact } from './wanted.ts';

const batchContacts = 100;

export function contactRoutes(app: FastifyInstance, brevo: Brevo): void {
  const { contacts } = brevo;

  app.post('/contacts', async (request, reply) => {
    const body = objectOf(request.body);
    const { contact, did } = contacts.put(wantedContact(body, brevo), {
      updateEnabled: body['updateEnabled'] === true,
      forceMerge: body['forceMerge'] === true,
    });
    if (did === 'created') return reply.code(201).send({ id: contact.id });
    if (did === 'merged' && body['getId'] === true) return reply.code(200).send({ id: contact.id });
    return reply.code(204).send();
  });

  app.get('/contacts', async (request) => {
    const { limit, offset } = page(request, 50, 1_000);
    const all = contacts.all();
    return { count: all.length, contacts: all.slice(offset, offset + limit).map(contactBody) };
  });

  app.post('/contacts/batch', async (request, reply) => {
    const rows = objectOf(request.body)['contacts'];
    if (!Array.isArray(rows) || rows.length === 0) throw missing('contacts is missing');
    if (rows.length > batchContacts) throw invalid(`at most ${batchContacts} contacts`);
    const found = rows.map((row: unknown) => (isObject(row) ? contactOfRow(brevo, row) : undefined));
    const absent = found.flatMap((contact, index) => (contact ? [] : [index]));
    if (absent.length > 0) throw unknown(`No contact found for indexes ${absent.join(', ')}`);
    for (const [index, contact] of found.entries()) {
      const { email: _email, ...row } = rows[index] as Json;
      if (contact) contacts.update(contact, wantedContact(row, brevo), false);
    }
    return reply.code(204).send();
  });

  app.get('/contacts/:identifier', async (request) => {
    const found = contactOf(brevo, request);
    return { ...contactBody(found), statistics: {} };
  });

  app.put('/contacts/:identifier', async (request, reply) => {
    const found = contactOf(brevo, request);
    const body = objectOf(request.body);
    contacts.update(found, wantedContact(body, brevo), body['forceMerge'] === true);
    return reply.code(204).send();
  });

  app.delete('/contacts/:identifier', async (request, reply) => {
    contacts.remove(contactOf(brevo, request));
    return reply.code(204).send();
  });
}

/** @throws BrevoRefusal 404 */
function contactOf({ contacts }: Brevo, request: FastifyRequest): BrevoContact {
  const { identifier } = request.params as { identifier: string };
  const { identifierType } = request.query as { identifierType?: string };
  const type = identifierType ?? (identifier.includes('@') ? 'email_id' : 'contact_id');
  const kind = identifierTypes[type];
  if (kind === undefined && type !== 'contact_id') throw invalid('identifierType is not valid');
  const found =
    kind === undefined
      ? contacts.byId(numberIn(identifier))
      : contacts.by(kind, normalIdentifier(kind, identifier));
  if (!found) throw unknown('Contact does not exist');
  return found;
}

function numberIn(identifier: string): number {
  if (!/^\d{1,15}$/.test(identifier)) throw invalid('Invalid contact identifier');
  return Number(identifier);
}

/** Each row of a batch has one of three identifiers; ext_id is none of them. */
function contactOfRow({ contacts }: Brevo, row: Json): BrevoContact | undefined {
  const given = ['email', 'id', 'sms'].filter((name) => row[name] !== undefined);
  if (given.length !== 1) throw invalid('each contact needs one of email, id and sms');
  if (row['id'] !== undefined) return contacts.byId(Number(row['id']));
  const kind = row['email'] !== undefined ? 'email' : 'SMS';
  return contacts.by(kind, normalIdentifier(kind, row['email'] ?? row['sms']));
}

export function contactBody(contact: BrevoContact): Record<string, unknown> {
  const { email, ...identifiers } = Object.fromEntries(contact.identifiers);
  const { ext_id: extId, ...phones } = identifiers;
  return {
    ...(email !== undefined && { email }),
    id: contact.id,
    emailBlacklisted: contact.emailBlacklisted,
    smsBlacklisted: contact.smsBlacklisted,
    whatsappBlacklisted: false,
    createdAt: new Date(contact.createdAt).toISOString(),
    modifiedAt: new Date(contact.modifiedAt).toISOString(),
    listIds: [...contact.listIds],
    attributes: {
      ...Object.fromEntries(contact.attributes),
      ...phones,
      ...(extId !== undefined && { EXT_ID: extId }),
    },
  };
}

/** @throws BrevoRefusal 400 for a limit that is out of range */
export function page(
  request: FastifyRequest,
  usual: number,
  most: number,
): { limit: number; offset: number } {
  const { limit = String(usual), offset = '0' } = request.query as Record<string, string | undefined>;
  if (!/^\d{1,9}$/.test(limit) || Number(limit) < 1 || Number(limit) > most)
    throw new BrevoRefusal(400, 'out_of_range', `Limit is out of range: 1 to ${most}`);
  if (!/^\d{1,9}$/.test(offset)) throw new BrevoRefusal(400, 'out_of_range', 'Offset is out of range');
  return { limit: Number(limit), offset: Number(offset) };
}
