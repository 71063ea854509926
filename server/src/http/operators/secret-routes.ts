import { CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import { isSecretName } from '../../secrets/secrets.ts';
import type { OperatorApi } from './operator-api.ts';
import { readObject } from './read-object.ts';

/** The routes of stored secrets of the operators' listener; the scope checks the right. Values come and leave sealed. */
export function secretRoutes(
  scope: FastifyInstance,
  api: Pick<OperatorApi, 'secrets' | 'setSecret' | 'removeSecret'>,
): void {
  scope.get('/secrets', () => api.secrets());
  scope.post('/secrets', async ({ body }) => {
    const { name, sealed, keyId } = readObject(body);
    if (typeof sealed !== 'string' || typeof keyId !== 'string') throw invalid();
    await api.setSecret({ name: nameOf(name), sealed, keyId });
    return { set: name };
  });
  scope.post('/secrets/remove', ({ body }) => api.removeSecret(nameOf(readObject(body)['name'])));
}

function nameOf(name: unknown): string {
  if (typeof name === 'string' && isSecretName(name)) return name;
  throw invalid();
}

const invalid = () => new CustodyError('request_invalid', 'the body does not have the fields of a secret');
