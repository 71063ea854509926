import { asRecordingSid, CustodyError } from '@flex-custody/core';
import type { FastifyInstance } from 'fastify';
import type { PolicyApi } from './policies.ts';
import { readObject } from './read-object.ts';

/** Bytes: room for a policy that names tens of thousands of recordings. */
const bodyLimit = 8 * 1_048_576;

/** The policy's routes of the operators' listener; the scope checks the right. */
export function policyRoutes(scope: FastifyInstance, api: PolicyApi): void {
  scope.get('/policy', () => api.policy());
  scope.get('/policies', () => api.policies());
  scope.post('/policy/compare', { bodyLimit }, ({ body }) => {
    const { text, after } = readObject(body);
    if (typeof text !== 'string') throw invalid();
    return api.comparePolicy(text, asRecordingSid(after));
  });
  scope.post('/policy/apply', { bodyLimit }, ({ body }) => {
    const { text, by, over, weaker } = readObject(body);
    if (typeof text !== 'string' || typeof by !== 'string' || typeof weaker !== 'boolean') throw invalid();
    if (over !== null && typeof over !== 'number') throw invalid();
    return api.applyPolicy({ text, by, over, weaker });
  });
}

const invalid = () =>
  new CustodyError('request_invalid', 'the body does not have the fields of a policy request');
