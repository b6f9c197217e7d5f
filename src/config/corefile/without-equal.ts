/** What becomes of a directive that has no equal here. */
export interface WithoutEqual {
  /** False: clients notice nothing, or only good. */
  readonly matters: boolean;
  readonly why: string;
}

const built = (why: string): WithoutEqual => ({ matters: false, why: `is built in: ${why}` });
const idle = (why: string): WithoutEqual => ({ matters: false, why: `is left out: ${why}` });
const lost = (why: string): WithoutEqual => ({ matters: true, why: `is left out: ${why}` });

const OWN_ZONES =
  'the agent has no zones of its own, and their names are asked as all others are, or refused where the block has no forward';

/** Directives of CoreDNS and NodeLocal DNSCache that change nothing in the settings, by name. */
export const WITHOUT_EQUAL: ReadonlyMap<string, WithoutEqual> = new Map([
  ['acl', lost('every client may ask; keep others out with a network policy')],
  ['any', built('ANY is answered as RFC 8482 says')],
  ['auto', lost(OWN_ZONES)],
  [
    'autopath',
    lost('--search complete does it, and asks the Kubernetes API for the pods of the node; it is not the default'),
  ],
  ['azure', lost(OWN_ZONES)],
  ['bufsize', built('answers over UDP are at most 1232 bytes, or what the client allows')],
  ['cancel', built('a query ends after 5 s')],
  ['chaos', built('version.bind, hostname.bind and id.server are answered, with texts of the agent')],
  ['clouddns', lost(OWN_ZONES)],
  [
    'dns64',
    lost(
      'not supported: AAAA records are not made from A records; pods that have only IPv6 need a resolver that does it',
    ),
  ],
  ['dnssec', lost('answers are not signed by the agent')],
  ['dnstap', lost('--log-sample logs queries')],
  ['dynupdate', lost(OWN_ZONES)],
  ['erratic', lost('it is for tests of clients')],
  ['errors', built('failures are logged, the same one at most once in 10 s')],
  ['etcd', lost(OWN_ZONES)],
  ['file', lost(OWN_ZONES)],
  ['geoip', lost('nothing depends on where a client is')],
  ['grpc', lost('upstreams are asked over UDP, TCP, TLS or HTTPS')],
  ['grpc_server', lost('clients ask over UDP and TCP')],
  ['header', lost('flags of answers are those of the upstream')],
  ['https', lost('clients ask over UDP and TCP')],
  ['https3', lost('clients ask over UDP and TCP')],
  ['k8s_external', lost(OWN_ZONES)],
  ['loadbalance', built('A and AAAA records rotate from answer to answer')],
  ['local', built('localhost and the reverse of loopback are answered here')],
  ['loop', built('an upstream that leads back is found, set aside and reported, and the others go on')],
  ['metadata', idle('nothing here reads metadata')],
  ['minimal', lost('sections are passed on as the upstream gives them')],
  ['multisocket', idle('one thread serves all, with batches of datagrams')],
  ['nomad', lost(OWN_ZONES)],
  ['nsid', idle('no server identifier is sent')],
  ['on', lost('no programs are run')],
  ['pprof', idle('the agent is no Go program')],
  ['proxyproto', lost('clients are seen by the address that they ask from')],
  ['quic', lost('clients ask over UDP and TCP')],
  ['reload', built('this file and all that it imports are watched, and read again after a change')],
  ['route53', lost(OWN_ZONES)],
  ['secondary', lost(OWN_ZONES)],
  ['shed', built('what is too much is answered from what is stale, or with SERVFAIL')],
  ['sign', lost(OWN_ZONES)],
  ['siit', lost('no addresses are translated')],
  ['timeouts', built('idle TCP clients are closed after 10 s')],
  ['tls', lost('clients ask over UDP and TCP')],
  ['trace', idle('no traces are sent')],
  ['transfer', built('transfers are passed on to the upstream of the zone')],
  ['tsig', built('signed messages are passed on byte for byte, and upstream and client check each other')],
  ['view', lost('every client is answered alike')],
  ['whoami', lost('these names are asked as all others are, or refused where the block has no forward')],
]);
