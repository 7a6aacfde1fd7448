// Whether the service of this container is ready. Without a server of a container's own, such as for a command line,
// there is nothing to ask: such containers say `healthcheck: disable`.
const answer = await fetch('http://127.0.0.1:8080/readyz', { signal: AbortSignal.timeout(4_000) });
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
