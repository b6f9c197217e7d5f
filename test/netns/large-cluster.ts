/** What kube-proxy gives to `iptables-restore --noflush` for so many Services of so many pods each: 10.97.0.0:80 is the first. Jumps into its chains are set when it has 6 pods. */
export function largeCluster({ services, pods }: { services: number; pods: number }): string {
  const chains = ['KUBE-SERVICES', 'KUBE-MARK-MASQ'];
  const rules: string[] = [];
  for (let at = 0; at < services; at++) {
    const service = `KUBE-SVC-${at}`;
    const match = `-d 10.97.${at >> 8}.${at & 255}/32 -p tcp -m comment --comment "web/front-${at}:http cluster IP" -m tcp --dport 80`;
    rules.push(
      `-A KUBE-SERVICES ${match} -j ${service}`,
      `-A ${service} ! -s 10.244.0.0/16 ${match} -j KUBE-MARK-MASQ`,
    );
    chains.push(service);
    for (let pod = 0; pod < pods; pod++) {
      const endpoint = `KUBE-SEP-${at}-${pod}`;
      const host = `10.244.${at & 255}.${pod + 1}`;
      const left = pods - pod;
      const chance = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
      chains.push(endpoint);
      rules.push(
        `-A ${service} -m comment --comment "web/front-${at}:http -> ${host}:80"${chance} -j ${endpoint}`,
        `-A ${endpoint} -s ${host}/32 -m comment --comment "web/front-${at}:http" -j KUBE-MARK-MASQ`,
        `-A ${endpoint} -p tcp -m comment --comment "web/front-${at}:http" -m tcp -j DNAT --to-destination ${host}:80`,
      );
    }
  }
  const gone = pods < 6 ? Array.from({ length: services }, (_, at) => `KUBE-SEP-${at}-${pods}`) : [];
  const jumps = pods < 6 ? [] : ['-I PREROUTING -j KUBE-SERVICES', '-I OUTPUT -j KUBE-SERVICES'];
  const declared = [...chains, ...gone].map((name) => `:${name} - [0:0]`);
  return ['*nat', ...declared, ...rules, ...jumps, ...gone.map((name) => `-X ${name}`), 'COMMIT', ''].join('\n');
}
