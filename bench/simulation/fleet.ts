import { type AgentModel, COLD_QUERIES, FLEET, KUBE_PROXY, type WatchModel } from './assumptions.ts';
import { connectionsOfNode, lookUpsOfNode } from './connections.ts';

const HOUR_SECONDS = 3600;

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
}

/** What a fleet of such agents comes to: at rest, while all of them are replaced within an hour, and when a zone is gone. */
export function fleetOf(agent: AgentModel): readonly Row[] {
  const { nodes, zones, nodesPerDnsPod } = FLEET;
  const dnsPods = nodes / nodesPerDnsPod;
  const connections = connectionsOfNode(agent);
  const queriesOfNode = (lookUpsOfNode() * agent.queriesPerThousandLookUps) / 1000;
  const replacedPerSecond = nodes / HOUR_SECONDS;
  const coldQueries = agent.isCacheKept ? 0 : COLD_QUERIES;
  const survivors = nodes - nodes / zones;
  const podsLeft = dnsPods - dnsPods / zones;
  // Of what the other nodes have under way, the part that the lost pods have.
  const silentPerNode = (queriesOfNode * agent.silentSeconds) / zones;
  return [
    row('cluster DNS: connections', '', connections * nodes),
    row('... to one DNS pod', '', (connections * nodes) / dnsPods),
    row('cluster DNS: queries', '1/s', queriesOfNode * nodes),
    row('... of one DNS pod', '1/s', (queriesOfNode * nodes) / dnsPods),
    ...watches(agent),
    row('all replaced in an hour: queries on top, cold caches', '1/s', coldQueries * replacedPerSecond),
    row('... look-ups that find nobody', 'in all', lookUpsOfNode() * agent.gapSeconds * nodes),
    row('... lists at the API server', 'MB/s', listedBytes(agent) * replacedPerSecond * 1e-6),
    row('a zone is gone: queries that wait for pods that are gone', '', silentPerNode * survivors),
    row('... each for', 's', agent.silentSeconds),
    row('... connections made anew', '', (connections * survivors) / zones),
    row('... queries of one DNS pod that is left', '1/s', (queriesOfNode * survivors) / podsLeft),
    row("... octets from the API server, its pods' EndpointSlices", 'GB in all', lossBytes(agent) * 1e-9),
    row('... kube-proxy beside it', 'GB in all', lossBytes({ watch: KUBE_PROXY }) * 1e-9),
  ];
}

/** Changes of the API that each node hears of in a second. */
export function changesPerSecond(): number {
  return (FLEET.pods / FLEET.podLifeSeconds) * FLEET.changesPerPodLife;
}

function watches(agent: AgentModel): Row[] {
  const { nodes, apiServers } = FLEET;
  const { streams, changeBytes, changeCpuUs } = agent.watch ?? NO_WATCH;
  const sent = changesPerSecond() * nodes;
  return [
    row('API server: watch streams', '', streams * nodes),
    row('... of one API server', '', (streams * nodes) / apiServers),
    row('... octets of changes, all streams', 'MB/s', sent * changeBytes * 1e-6),
    row('... kube-proxy beside it', 'MB/s', sent * KUBE_PROXY.changeBytes * 1e-6),
    row('... CPU of changes, all API servers', 'cores', sent * changeCpuUs * 1e-6),
  ];
}

/** The EndpointSlices of all Services that had a pod there, each written once. */
function lossBytes({ watch }: Pick<AgentModel, 'watch'>): number {
  const { nodes, zones, services } = FLEET;
  return services * (watch ?? NO_WATCH).changeBytes * (nodes - nodes / zones);
}

/** One Service and one EndpointSlice each. */
function listedBytes({ watch }: AgentModel): number {
  return (watch ?? NO_WATCH).changeBytes * FLEET.services * 2;
}

const NO_WATCH: WatchModel = { streams: 0, changeBytes: 0, changeCpuUs: 0 };

function row(what: string, unit: string, value: number): Row {
  return { what, unit, value };
}
