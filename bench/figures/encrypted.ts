import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import { BenchError } from '../bench-error.ts';
import { type Measure, OURS } from '../measure.ts';
import { findProgram } from '../programs.ts';
import { inRounds, pick, pickBusy } from '../rounds.ts';
import { startAgent } from '../servers/agent.ts';
import { SERVER_NAME } from '../servers/certificate.ts';
import { corednsOverTls } from '../servers/coredns.ts';
import type { Encrypted } from '../servers/named.ts';
import type { Server } from '../servers/server.ts';
import { unboundOverTls } from '../servers/unbound.ts';
import { measureMisses } from './misses.ts';

const PLAIN = 'signpost, plain TCP';
const OVER_TLS = 'signpost over TLS';
const OVER_HTTPS = 'signpost over HTTPS';

/** Misses whose upstream is asked over TLS and over HTTPS, beside those over plain TCP of the same run. BIND answers all three. */
export async function encrypted(bench: Bench): Promise<Measure[]> {
  const upstream = bench.upstream.encrypted;
  if (upstream === undefined) throw new BenchError('Cannot measure encrypted: openssl is not installed');
  const results = await inRounds(bench.options.rounds, servers(bench, upstream), (server) =>
    bench.withServer(server, (running) => measureMisses(bench, running)),
  );
  const rates = pick(results, ({ answersPerSecond }) => answersPerSecond);
  const costs = pick(results, ({ cpuUs }) => cpuUs);
  const busy = pickBusy(results);
  const peers = bench.present(bench.coredns, bench.unbound).map(({ name }) => name);
  // In the table the one that is judged is ours, beside the others by their names.
  const beside = <T>(own: string, all: Record<string, T>): Record<string, T> =>
    Object.fromEntries([
      [OURS, all[own]!],
      [PLAIN, all[PLAIN]!],
      ...(own === OVER_TLS ? peers.map((name): [string, T] => [name, all[name]!]) : []),
    ]);
  return [
    {
      name: 'misses a second over TLS',
      unit: '1/s',
      samples: beside(OVER_TLS, rates),
      goals: [{ against: PLAIN, bound: 'at least', value: 0.6 }],
      busy: beside(OVER_TLS, busy),
    },
    { name: 'CPU per miss over TLS', unit: 'us', samples: beside(OVER_TLS, costs), goals: [] },
    {
      name: 'misses a second over HTTPS',
      unit: '1/s',
      samples: beside(OVER_HTTPS, rates),
      goals: [{ against: PLAIN, bound: 'at least', value: 0.3 }],
      busy: beside(OVER_HTTPS, busy),
    },
    { name: 'CPU per miss over HTTPS', unit: 'us', samples: beside(OVER_HTTPS, costs), goals: [] },
  ];
}

function servers(bench: Bench, upstream: Encrypted): Server[] {
  const { agent } = bench.programs;
  const ours = (name: string, url: string): Server => ({
    name,
    start(place) {
      const file = join(place.folder, 'signpost.yaml');
      writeFileSync(file, `zones:\n  cluster.local:\n    tls: { caFile: '${upstream.certificate.certFile}' }\n`);
      return startAgent(agent, place, { serve: ['--config', file], clusterDns: url });
    },
  });
  const unboundProgram = bench.unbound && findProgram('unbound');
  return bench.present(
    { name: PLAIN, start: (place) => startAgent(agent, place) },
    ours(OVER_TLS, `tls://127.0.0.1:${upstream.tlsPort}#${SERVER_NAME}`),
    ours(OVER_HTTPS, `https://${SERVER_NAME}:${upstream.httpsPort}/dns-query@127.0.0.1`),
    bench.corednsProgram === undefined ? undefined : corednsOverTls(bench.corednsProgram, upstream),
    unboundProgram === undefined ? undefined : unboundOverTls(unboundProgram, upstream),
  );
}
