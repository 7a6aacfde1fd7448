import helmet from '@fastify/helmet';
import type { ApiServer } from './api-server.ts';

/** A Content-Security-Policy: directive → sources. */
type Policy = Readonly<Record<string, string>>;

/** Of what no browser has to show: JSON, CSV, metrics. The report's page brings a policy of its own. */
const NOTHING: Policy = {
  'default-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/**
 * Of pages that run scripts of this server only and ask nobody else. Both pages set style attributes, which have to be
 * allowed; pictures in style sheets come as data.
 */
export const PAGE_POLICY: Policy = {
  ...NOTHING,
  'base-uri': "'self'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
};

/** The policy as the value of its header. */
export function policyText(policy: Policy): string {
  return Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ');
}

/** Headers that keep browsers from doing with an answer what nobody has meant. Routes may set stricter ones. */
export async function addSecurityHeaders(server: ApiServer): Promise<void> {
  await server.register(helmet, {
    // Without the defaults, which let a browser change http into https: whoever wants TLS puts a proxy before it.
    contentSecurityPolicy: { useDefaults: false, directives: NOTHING },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}
