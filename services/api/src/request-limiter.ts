import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServer } from './api-server.ts';
import { Problem } from './problem.ts';

const WINDOW_MS = 60_000;
/** Actors and addresses that are remembered at once; the one not seen for longest goes first. */
const MOST_REMEMBERED = 10_000;
/** One machine has many addresses of IPv6: as many bits of it as name its network. */
const IPV6_NETWORK = 64;

export interface RateLimits {
  /** Requests of one actor within a minute, whatever tokens they use. */
  readonly requestsPerMinute: number;
  /** Requests without a valid token from one address within a minute. */
  readonly refusalsPerMinute: number;
}

export interface RequestLimiter {
  /** Counts a request of the caller. @throws {Problem} 429 */
  countRequest(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a request without a valid token. @throws {Problem} 429 */
  countRefusal(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/**
 * Keeps a client that has run wild from keeping the others waiting. Counted in this process: it must hold while Redis is
 * away, and so many replicas let through so many times as much.
 */
export async function createRequestLimiter(server: ApiServer, limits: RateLimits): Promise<RequestLimiter> {
  await server.register(rateLimit, { global: false, cache: MOST_REMEMBERED });
  const common = { timeWindow: WINDOW_MS };
  const checkRequest = server.createRateLimit({
    ...common,
    max: limits.requestsPerMinute,
    keyGenerator: (request) => `actor ${request.caller.actor}`,
  });
  const checkRefusal = server.createRateLimit({
    ...common,
    max: limits.refusalsPerMinute,
    keyGenerator: (request) => `address ${normalizeIP(request.ip, IPV6_NETWORK)}`,
  });

  async function count(check: typeof checkRequest, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const found = await check(request);
    if (found.isAllowed || !found.isExceeded) return;
    reply.header('retry-after', Math.max(1, found.ttlInSeconds));
    throw new Problem('too-many-requests', `Try again in ${Math.max(1, found.ttlInSeconds)} seconds.`);
  }
  return {
    countRequest: (request, reply) => count(checkRequest, request, reply),
    countRefusal: (request, reply) => count(checkRefusal, request, reply),
  };
}
