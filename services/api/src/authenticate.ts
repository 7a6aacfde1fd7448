import { hash } from 'node:crypto';
import type { Pool } from '@backfill/core/db/pool';
import { getApiToken } from '@backfill/core/db/queries/api-token-get';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from './api-server.ts';
import { Problem } from './problem.ts';

/** The token of an `Authorization: Bearer …` header, or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
}

/**
 * Looks the caller of a request up, and refuses one who lacks the role that the route asks for. Runs before the body
 * is read, so that nobody without a token learns what a valid one looks like.
 *
 * @throws {Problem} 401 or 403
 */
export function createAuthenticator(pool: Pool) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const token = bearerToken(request.headers.authorization);
    // Only the hash is compared, and by an index: how long that takes tells nothing about a token.
    const caller: Caller | undefined =
      token === undefined ? undefined : await getApiToken(pool, hash('sha256', token, 'hex'));
    if (caller === undefined) {
      reply.header('www-authenticate', token === undefined ? 'Bearer' : 'Bearer error="invalid_token"');
      throw new Problem('unauthorized', 'Send a valid token: Authorization: Bearer <token>.');
    }
    const { role } = request.routeOptions.config;
    if (role !== undefined && !caller.roles.includes(role)) {
      throw new Problem('forbidden', `This needs a token with the role ${role}.`);
    }
    request.caller = caller;
  };
}
