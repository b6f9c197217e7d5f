/** What NodeLocal DNSCache writes into its Corefile when it starts; these two stay and are told apart, for the settings have their own words for them. */
export const PLACEHOLDER_CLUSTER_DNS = '__PILLAR__CLUSTER__DNS__';
export const PLACEHOLDER_UPSTREAM_SERVERS = '__PILLAR__UPSTREAM__SERVERS__';

export interface PlaceholderValues {
  /** What `-localip` was: the addresses that are listened on. */
  readonly listenHosts: readonly string[];
  /** Without the trailing dot. */
  readonly clusterDomain: string;
}

/**
 * `text` with the placeholders that stand for what the agent is told otherwise. `__PILLAR__DNS__SERVER__` becomes nothing where it is still there:
 * whoever installed the file left it, and the listen addresses are all in `__PILLAR__LOCAL__DNS__`.
 */
export function withPlaceholders(text: string, { listenHosts, clusterDomain }: PlaceholderValues): string {
  return text
    .replaceAll('__PILLAR__LOCAL__DNS__', () => listenHosts.join(' '))
    .replaceAll('__PILLAR__DNS__SERVER__', '')
    .replaceAll('__PILLAR__DNS__DOMAIN__', () => clusterDomain);
}
