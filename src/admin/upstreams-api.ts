import { type Answer, jsonAnswer, type Page } from './page.ts';
import type { Status, UpstreamState, UpstreamStatus } from './status.ts';

/** One server, with all zones that it is asked for. */
interface ServerStatus extends Omit<UpstreamStatus, 'state' | 'healthy' | 'rank'> {
  readonly zones: {
    readonly zone: string;
    readonly state: UpstreamState;
    readonly healthy: boolean;
    readonly rank: number;
  }[];
}

/** `/api/v1/upstreams`: who is asked, and how it goes. A server that several zones name is one, and may stand differently in each. */
export class UpstreamsApi implements Page {
  readonly path = '/api/v1/upstreams';
  readonly method = 'GET';
  readonly #zones: () => Status['zones'];

  constructor(zones: () => Status['zones']) {
    this.#zones = zones;
  }

  answer(): Answer {
    const servers = new Map<string, ServerStatus>();
    for (const { zone, upstreams } of this.#zones()) {
      for (const { state, healthy, rank, ...server } of upstreams) {
        const known = servers.get(server.address) ?? { ...server, zones: [] };
        known.zones.push({ zone, state, healthy, rank });
        servers.set(server.address, known);
      }
    }
    return jsonAnswer(200, { upstreams: [...servers.values()] });
  }
}
