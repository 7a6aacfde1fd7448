import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Role } from '@backfill/core/domain/approvals';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';

/** Who asks: what a valid token says. */
export interface Caller {
  readonly actor: string;
  readonly roles: readonly string[];
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route below /v1. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    /** The role that the route asks for. Every route below /v1 has to say one, or that any valid token will do. */
    role?: Role | 'any';
  }
}

/** The HTTP server, whose routes are typed by their zod schemas. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
