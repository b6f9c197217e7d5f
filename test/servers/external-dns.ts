import type { Server } from '../client/ask.ts';
import { Child, run } from './child.ts';
import { program } from './programs.ts';

export interface ExternalDnsOptions {
  readonly kubeconfig: string;
  /** Where updates and transfers are sent. Kerberos knows the server by this name. */
  readonly server: Server;
  /** Without the trailing dot; names of other zones are left alone. */
  readonly zone: string;
  /** How it signs, and what else is wanted of it. */
  readonly flags: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** One synchronisation of all Services with the zone. What it logged; rejects with that where it failed. */
export async function synchronise(options: ExternalDnsOptions): Promise<string> {
  const { env } = options;
  const args = ['--once', ...externalDnsFlags(options)];
  const { code, stdout, stderr } = await run(program('external-dns'), args, env && { env });
  if (code !== 0 || /level=(?:error|fatal)/.test(stderr)) throw new Error(`external-dns: ${code}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/** Synchronises every second, until it is stopped. */
export function startExternalDns(options: ExternalDnsOptions): Child {
  const { env } = options;
  const eager = ['--interval=1s'];
  return new Child(program('external-dns'), [...eager, ...externalDnsFlags(options)], env && { env });
}

function externalDnsFlags({ kubeconfig, server, zone, flags }: ExternalDnsOptions): string[] {
  return [
    ...['--source=service', '--policy=sync', '--registry=txt', '--txt-owner-id=tests', '--log-level=debug'],
    ...[`--kubeconfig=${kubeconfig}`, '--metrics-address=127.0.0.1:0', `--domain-filter=${zone}`],
    ...['--provider=rfc2136', `--rfc2136-host=${server.host}`, `--rfc2136-port=${server.port}`],
    ...[`--rfc2136-zone=${zone}`, ...flags],
  ];
}
