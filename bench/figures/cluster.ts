import type { Bench } from '../bench.ts';
import { BenchError } from '../bench-error.ts';
import { withBenchCluster } from '../cluster/bench-cluster.ts';
import { changes } from '../cluster/changes.ts';
import { coldLookUps } from '../cluster/cold-look-ups.ts';
import { COMPLETE_WITH_LEASE, LOCAL, LOCAL_WITHOUT_API, NODELOCAL } from '../cluster/contestants.ts';
import { hitPath } from '../cluster/hit-path.ts';
import { searchPath } from '../cluster/search-path.ts';
import { size } from '../cluster/size.ts';
import type { Measure } from '../measure.ts';

/** What knowing the cluster is worth, on a real control plane. */
export async function cluster(bench: Bench): Promise<Measure[]> {
  if (bench.corednsProgram === undefined)
    throw new BenchError('Cannot measure: CoreDNS is not here, and it is the cluster DNS and the one to compare with');
  const contestants = [NODELOCAL, LOCAL_WITHOUT_API, LOCAL, COMPLETE_WITH_LEASE];
  return withBenchCluster(contestants.length, async (known) => [
    ...(await searchPath(bench, known, contestants)),
    await coldLookUps(bench, known),
    ...(await changes(bench, known)),
    await hitPath(bench, known),
    // The last one, for it makes the cluster large.
    ...(await size(bench, known)),
  ]);
}
