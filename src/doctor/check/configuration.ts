import { formatSocketAddress } from '../../config/socket-address.ts';
import { note, ok } from '../diagnosis.ts';
import type { Check } from './check.ts';

/** What this report measures the node by. */
export const configurationCheck: Check = {
  name: 'configuration',
  async look({ config, origin, listen, nodeNetwork }) {
    const facts = `listens on ${listen.map(formatSocketAddress).join(', ')}; node network ${nodeNetwork.mode}`;
    if (config !== undefined) return [ok('configuration', `by ${origin}: ${facts}`)];
    const remedy = 'run it where the agent runs (kubectl exec in its pod), or give the flags that serve has';
    return [note('configuration-guessed', `by ${origin}, for no agent is to be seen here: ${facts}`, remedy)];
  },
};
