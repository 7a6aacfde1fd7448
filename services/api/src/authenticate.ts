import { hash } from 'node:crypto';
import type { Pool } from '@backfill/core/db/pool';
import { getApiToken } from '@backfill/core/db/queries/api-token-get';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from './api-server.ts';
import { Problem } from './problem.ts';
import type { RequestLimiter } from './request-limiter.ts';

/** The token of an `Authorization: Bearer …` header, or undefined. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer +([\x21-\x7e]{1,512})$/i.exec(header)?.[1];
}

/** The password of an `Authorization: Basic …` header, by RFC 7617, or undefined. Whatever the user name is. */
export function basicPassword(header: string | undefined): string | undefined {
  const encoded = header === undefined ? undefined : /^Basic +([A-Za-z0-9+/]{1,1024}={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  return /^[^:]*:([\x21-\x7e]{1,512})$/.exec(Buffer.from(encoded, 'base64').toString('utf8'))?.[1];
}

/** How somebody may show their token. */
export interface Scheme {
  tokenOf(header: string | undefined): string | undefined;
  /** What `WWW-Authenticate` asks for. @param given whether there was a token, which is not valid */
  challenge(given: boolean): string;
  /** Says what to do. */
  advice: string;
}

export const BEARER: Scheme = {
  tokenOf: bearerToken,
  challenge: (given) => (given ? 'Bearer error="invalid_token"' : 'Bearer'),
  advice: 'Send a valid token: Authorization: Bearer <token>.',
};

/** For pages: a browser asks for a name and a password. Never a token in an address, which logs and histories keep. */
export const BASIC: Scheme = {
  tokenOf: (header) => basicPassword(header) ?? bearerToken(header),
  challenge: () => 'Basic realm="backfill", charset="UTF-8"',
  advice: 'Give a valid token as the password; the user name may be anything.',
};

/** Whom a header's token names as it is now, or undefined when there is none that is valid. */
export async function findCaller(
  pool: Pool,
  header: string | undefined,
  scheme: Scheme = BEARER,
): Promise<Caller | undefined> {
  const token = scheme.tokenOf(header);
  // A token itself is compared with nothing. Its hash is looked up by an index, and how long that takes tells about the
  // hash only, which nobody can choose.
  return token === undefined ? undefined : await getApiToken(pool, hash('sha256', token, 'hex'));
}

/**
 * Looks the caller of a request up, and refuses one who lacks the role that the route asks for, or asks too often. Runs
 * before the body is read, so that nobody without a token learns what a valid one looks like.
 *
 * @returns a hook; it throws {@link Problem} 401, 403 or 429
 */
export function createAuthenticator(pool: Pool, limiter: RequestLimiter, scheme: Scheme = BEARER) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { authorization } = request.headers;
    const caller = await findCaller(pool, authorization, scheme);
    if (caller === undefined) {
      await limiter.countRefusal(request, reply);
      reply.header('www-authenticate', scheme.challenge(scheme.tokenOf(authorization) !== undefined));
      throw new Problem('unauthorized', scheme.advice);
    }
    request.caller = caller;
    await limiter.countRequest(request, reply);
    const { role = 'any' } = request.routeOptions.config;
    if (role !== 'any' && !caller.roles.includes(role)) {
      throw new Problem('forbidden', `This needs a token with the role ${role}.`);
    }
    // What is told here is for the one who asks, and may be erased later.
    reply.header('cache-control', 'private, no-store');
  };
}
