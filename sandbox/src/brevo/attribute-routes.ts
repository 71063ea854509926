import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Brevo } from './state.ts';
import { objectOf } from './wanted.ts';

/** Attributes of the account, and the account itself. */
export function attributeRoutes(app: FastifyInstance, { attributes }: Brevo): void {
  const named = (request: FastifyRequest) => request.params as { category: string; name: string };
  app.get('/contacts/attributes', async () => ({ attributes: attributes.list() }));
  app.post('/contacts/attributes/:category/:name', async (request, reply) => {
    const { category, name } = named(request);
    const { type = 'text' } = objectOf(request.body);
    attributes.create({ category, name, type: String(type) });
    return reply.code(201).send();
  });
  app.delete('/contacts/attributes/:category/:name', async (request, reply) => {
    attributes.remove(named(request).name);
    return reply.code(204).send();
  });
}

export function accountRoutes(app: FastifyInstance): void {
  app.get('/account', async () => ({
    organization_id: '66f0c0c0c0c0c0c0c0c0c0c0',
    user_id: 4100,
    enterprise: false,
    companyName: 'Northwind',
    email: 'owner@northwind.example',
    firstName: 'Olga',
    lastName: 'Owner',
    address: { city: 'Berlin', country: 'Germany', street: 'Am Beispiel 1', zipCode: '10115' },
    marketingAutomation: { enabled: true, key: 'sandbox' },
    plan: [{ type: 'subscription', credits: 20_000, creditsType: 'sendLimit' }],
    planVerticals: [],
    relay: {
      enabled: false,
      data: { port: 587, relay: 'smtp-relay.brevo.com', userName: 'owner@northwind.example' },
    },
  }));
}
