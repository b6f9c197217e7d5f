import type { Target } from './block-draft.ts';
import { isOnly } from './targets.ts';
import type { ZonePlan } from './zone-plan.ts';

/**
 * Which zone is the cluster's: the one that is called so already, else the one that is asked of the cluster DNS by name, else one that goes where the
 * reverse names go; undefined where no block is for it.
 */
export function findClusterZone(plans: ReadonlyMap<string, ZonePlan>, wanted: string): string | undefined {
  const candidates = [...plans.values()].filter(({ zone, targets }) => targets.length > 0 && isForward(zone));
  const usual = candidates.find(({ zone }) => zone === wanted);
  if (usual !== undefined) return usual.zone;
  const named = candidates.find(({ targets }) => isOnly(targets, 'cluster-dns'));
  if (named !== undefined) return named.zone;
  const reverse = plans.get('in-addr.arpa.') ?? plans.get('ip6.arpa.');
  return candidates.find(({ targets }) => reverse !== undefined && sameTargets(targets, reverse.targets))?.zone;
}

function isForward(zone: string): boolean {
  return zone !== '.' && !/(?:^|\.)(?:in-addr|ip6)\.arpa\.$/.test(zone);
}

function sameTargets(a: readonly Target[], b: readonly Target[]): boolean {
  const words = (targets: readonly Target[]): string =>
    targets
      .map((target) =>
        target.kind === 'address' ? target.said.text : target.kind === 'resolv.conf' ? target.path.text : target.kind,
      )
      .sort()
      .join(' ');
  return words(a) === words(b);
}
