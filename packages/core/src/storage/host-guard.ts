import type { S3Client } from '@aws-sdk/client-s3';
import { ResidencyError } from '../residency/residency-error.ts';

/** The parts of the SDK's requests and answers that the guard looks at. */
interface Sent {
  protocol: string;
  hostname: string;
  port?: number;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function originOf({ protocol, hostname, port }: Sent): string {
  return `${protocol}//${hostname}:${port ?? DEFAULT_PORTS[protocol]}`;
}

function refusal(subject: string, problem: string, remedy: string): ResidencyError {
  return new ResidencyError([{ subject, problem, remedy }]);
}

function isSent(request: unknown): request is Sent {
  return typeof request === 'object' && request !== null && 'hostname' in request && 'protocol' in request;
}

/** Answers that send the client elsewhere; 304 does not. HeadBucket's names the bucket's region and is never followed. */
function isRedirect(response: unknown, command: string | undefined): boolean {
  if (typeof response !== 'object' || response === null || !('statusCode' in response)) return false;
  const status = Number(response.statusCode);
  return status >= 300 && status < 400 && status !== 304 && command !== 'HeadBucketCommand';
}

/**
 * The third ring: stands directly before the network, behind everything in the SDK that could have changed an address,
 * and lets a request go to the configured endpoint only. A redirect is refused, not followed.
 *
 * @param onRefusal called for each refusal, before it is thrown.
 */
export function guardHost(client: S3Client, endpoint: string, onRefusal: () => void): void {
  const { protocol, hostname, port } = new URL(endpoint);
  const allowed = originOf({ protocol, hostname, ...(port !== '' && { port: Number(port) }) });
  const refuse = (error: ResidencyError): never => {
    onRefusal();
    throw error;
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const { request } = args;
      const to = isSent(request) ? originOf(request) : 'an unknown place';
      if (to !== allowed) {
        const remedy = 'point S3_ENDPOINT to the server that may have the data';
        refuse(refusal('S3_ENDPOINT', `a request was about to go to ${to} instead of ${allowed}`, remedy));
      }
      const result = await next(args);
      if (isRedirect(result.response, context.commandName)) {
        const remedy = 'set S3_ENDPOINT and S3_REGION to where the bucket is';
        refuse(refusal('S3_ENDPOINT', `${allowed} redirects to another server`, remedy));
      }
      return result;
    },
    // The last step, lowest priority: nothing comes between this and the request handler.
    { step: 'deserialize', priority: 'low', name: 'hostGuard' },
  );
}
