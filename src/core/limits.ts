/**
 * Every bound of the agent, with the sum that it rests on. What is full is counted, and answered as its line says: nothing grows past it.
 */

/** A bound and how often it was hit; `hits` is read by the metric `signpost_limit_hits_total{limit="name"}`. */
export interface Limit {
  readonly name: string;
  /** Set once, at start, where the system allows less. */
  value: number;
  hits: number;
}

const all: Limit[] = [];

/** All limits, for the metrics. */
export const LIMITS: readonly Limit[] = all;

function limit(name: string, value: number): Limit {
  const made = { name, value, hits: 0 };
  all.push(made);
  return made;
}

/** Distinct questions in flight. 4,096 x (about 1 KiB of question, bookkeeping and timer) = 4 MiB. Full: stale answer, else SERVFAIL. */
export const IN_FLIGHT = limit('in_flight', 4096);

/** Names that pods searched for lately, and what was decided about them. 4,096 x about 1 KiB (measured) = 4 MiB. Full: the oldest goes. */
export const COMPLETIONS = limit('completions', 4096);

/** Those of them that are being decided. 1,024 x (2 look-ups of 0.5 KiB) = 1 MiB. Full: the query is answered as it is asked. */
export const COMPLETIONS_ASKING = limit('completions_asking', 1024);

/** Clients that wait until it is decided. 4,096 x 0.6 KiB = 2.4 MiB. Full: answered as they ask. */
export const COMPLETION_WAITERS = limit('completion_waiters', 4096);

/** Decisions that go on in a turn of the loop, with the next candidate or with answers. 32 x 15 us = 0.5 ms. Full: the others in the next one. */
export const COMPLETIONS_A_TURN = limit('completions_a_turn', 32);

/** Clients that wait for answers, all questions together. 16,384 x (about 400 B of query and sink) = 6.5 MiB. Full: stale answer, else SERVFAIL. */
export const WAITERS = limit('waiters', 16_384);

/** Refreshes in the background (prefetch and stale) at once: a quarter of what may be in flight, so that clients come first. Full: not refreshed. */
export const REFRESHES = limit('refreshes', 1024);

/**
 * Flights, and waiters, that are kept for use again: garbage that lives as long as a round trip is what costs the collector most. 256 x (0.9 KiB and 0.4 KiB) =
 * 333 KiB. Full: left to the collector.
 */
export const SPARES = limit('spares', 256);

/** Zones that are counted by name. 1,024 x 4 listeners (2 addresses, UDP and TCP) x 1.2 KiB of cells = 4.8 MiB. Full: counted with those of no zone. */
export const ZONES = limit('zones', 1024);

/** One cached answer with its bookkeeping: a page of the slab. Longer ones are passed on, not kept. */
export const CACHED_ANSWER = limit('cached_answer_bytes', 65_536);

/** Records of one cached answer, each with a TTL to count down. 4,096 x 16 B of the smallest that anybody asks for = 64 KiB. Full: passed on, not kept. */
export const CACHED_RECORDS = limit('cached_answer_records', 4096);

/** CNAME records in one answer that are followed. 16 x 255 B of name = 4 KiB; resolvers give up sooner. Full: the answer is passed on as it is, not kept. */
export const CNAME_CHAIN = limit('cname_chain', 16);

/**
 * Names that the records of one reply send their readers on to, whose addresses may stand beside them: the answer for a Service of so many endpoints. 1,024 x 4 B. Full:
 * the addresses of the others are left out.
 */
export const MENTIONED_NAMES = limit('mentioned_names', 1024);

/** Zones whose entries are being dropped from the cache at one time; look-ups compare with each. 16 x 60 ns. Full: the walk goes to its end at once, 12 to 36 ms of 32 MiB. */
export const DROPPED_ZONES = limit('dropped_zones', 16);

/**
 * Notes of which cached answers depend on which Service, so that a change finds them: half of what the usual cache holds at most, for there are other names too. 131,072 x 20 B = 2.5 MiB, grown to by
 * doubling. Full: those that came to nothing are looked for, and answers that cannot be noted live for a second.
 */
export const ENTRY_LINKS = limit('entry_links', 131_072);

/** Notes of one Service, for they are all taken in one turn when it changes: 4,096 x 1.5 us = 6 ms. Full: their entries are forgotten, and it begins anew. */
export const GROUP_LINKS = limit('group_links', 4096);

/** Services whose changes in the last 30 s are remembered: 50 a second in a busy cluster are 1,500. 4,096 x 120 B = 480 KiB. Full: all answers about Services live for a second. */
export const CHANGED_SERVICES = limit('changed_services', 4096);

/** Names that are asked for again because their Service has changed. 256 x 0.5 KiB = 128 KiB, and 40 B for each of 4,096 that are known to stay the same. Full: asked for when a client asks. */
export const RE_ASKED_NAMES = limit('re_asked_names', 256);

/** Questions a second on that account: 100 of 10 us are a thousandth of the thread; 5,000 nodes with the same popular Service ask 9 times in 5 s. Full: asked at the next step, or when a client asks. */
export const RE_ASKS = limit('re_asks_per_second', 100);

/** Options (EDE) that are kept with an answer: a code and a sentence. Longer ones are dropped. */
export const KEPT_OPTIONS = limit('kept_options_bytes', 256);

/**
 * Clients' questions that wait for one upstream. 2,048 x (about 0.4 KiB of try and timer) = 0.8 MiB; half of all that may be in flight, so that one upstream that hangs
 * leaves room for the others. Full: another upstream, else stale, else SERVFAIL.
 */
export const UPSTREAM_IN_FLIGHT = limit('upstream_in_flight', 2048);

/** Queries in flight on one TCP connection to an upstream. 2,048 x 26 B of slot = 52 KiB; at most 8 connections. Full: another connection, else UDP. */
export const CONNECTION_QUERIES = limit('connection_queries', 2048);

/** Bytes that a TCP connection to an upstream has not taken yet: about 1,000 queries. Full: another connection, else UDP. */
export const CONNECTION_BACKLOG = limit('connection_backlog_bytes', 65_536);

/**
 * Bytes that are read of one TCP connection to an upstream in a turn of the loop. 4,096 B are about 45 replies of 90 B, 6 us each: 0.3 ms, and two connections
 * in calm. Full: the next turn, after what clients asked meanwhile.
 */
export const CONNECTION_READ = limit('connection_read_bytes', 4096);

/**
 * HTTP/2 frames that a server sends between two answers. 2,048 questions x 3 (a head, and a window for the stream and for the connection), or the 65,535 bytes of an answer in pieces
 * of 4: 16,384, of 1 us each. Full: closed, for it only keeps us busy.
 */
export const CONNECTION_FRAMES = limit('connection_frames', 16_384);

/** Questions over one HTTP/2 connection, whose streams have odd numbers below 2^31: 2^30, but for some to spare. Full: another connection. */
export const CONNECTION_STREAMS = limit('connection_streams', 0x3fff_0000);

/** Questions that leave for the upstreams in a turn of the loop. 64 x 4 us = 0.26 ms. Full: the next turn, after what clients asked meanwhile. */
export const DEPARTURES_A_TURN = limit('departures_a_turn', 64);

/** Names that lead to others whose answers are begun, or put together, in a turn of the loop. 64 x 10 us = 0.6 ms. Full: the next turn. */
export const FOLLOWED_A_TURN = limit('followed_a_turn', 64);

/** Answers to names by what stands above them, given in a turn of the loop: 64 x 8 us = 0.5 ms. Full: the next turn. */
export const HELD_A_TURN = limit('held_a_turn', 64);

/** Search paths gone ahead of their resolvers at one time. 256 x 0.6 KiB = 150 KiB, and as many clients that wait. Full: the resolver asks by itself. */
export const LOOK_AHEADS = limit('look_aheads', 256);

/** Of these, steps in a turn of the loop: 32 x 10 us = 0.3 ms. Full: the next turn. */
export const LOOK_AHEADS_A_TURN = limit('look_aheads_a_turn', 32);

/** TCP connections to one upstream while one is stalled; 2 in calm. 8 x about 130 KiB (slots, output, kernel) = 1 MiB. Full: UDP. */
export const CONNECTIONS = limit('connections', 8);

/** Queries in flight on one UDP socket to an upstream, of which four take queries. 1,024 x 26 B of slot = 26 KiB. Full: another socket. */
export const SOCKET_IN_FLIGHT = limit('socket_in_flight', 1024);

/** UDP sockets to one upstream, those included that only wait for replies. 16 x (26 KiB of slots, and the kernel's) = 0.5 MiB. Full: ports serve longer. */
export const SOCKETS = limit('sockets', 16);

/** Kinds of trouble that the log tells apart. 64 lines in 10 s at the most, and 64 x 0.5 KiB. Full: told together. */
export const TROUBLES = limit('trouble_kinds', 64);

/** UDP answers of one listener that the kernel has not taken. 256 x (4 KiB of buffer and libuv's request) = 1 MiB. Full: dropped. */
export const UDP_BACKLOG = limit('udp_backlog', 256);

/**
 * Datagrams that one system call takes or gives. 64 x (2,112 B of slot, 96 B of addresses, 192 B of headers) = 151 KiB, twice for each listener: in and out.
 * Full: another call.
 */
export const UDP_BATCH = limit('udp_batch', 64);

/** Calls that one listener makes in a turn of the loop: 8 x 64 answers are a millisecond. Full: the others' turn; the rest waits in the kernel. */
export const UDP_BATCHES_A_TURN = limit('udp_batches_a_turn', 8);

/** One question over UDP, a slot of the batch: 271 B and options. 64 x 2,048 B = 128 KiB. Longer ones are cut there, and FORMERR if that cuts a record. */
export const UDP_QUERY_BYTES = limit('udp_query_bytes', 2048);

/**
 * TCP connections of all clients. 10,240 x (2.4 KiB of ours and 4.1 KiB of the kernel's, idle, measured with 10,000) = 65 MiB. Fewer where not so many
 * descriptors may be open, which is said at start. Full: refused.
 */
export const TCP_CONNECTIONS = limit('tcp_connections', 10_240);

/** TCP connections of one client address: 1,024, a tenth of all, so that no pod keeps the others out. Full: refused. */
export const TCP_CONNECTIONS_PER_CLIENT = limit('tcp_connections_per_client', 1024);

/** TCP connections that are closed in a turn of the loop because their time is over. 32 x 25 us = 0.8 ms. Full: the next turn, after what came in meanwhile. */
export const TCP_CLOSINGS_A_TURN = limit('tcp_closings_a_turn', 32);

/** Queries in flight on one TCP connection of a client. 256 x 512 B = 128 KiB. Full: not read until half are answered. */
export const TCP_QUERIES = limit('tcp_queries', 256);

/** TCP connections that are not read for now. 128 x (128 KiB read ahead + 256 KiB of answers) = 48 MiB at worst. Full: the next one is closed. */
export const TCP_PAUSED = limit('tcp_paused', 128);

/** Bytes of answers that one TCP client has not taken yet: three messages of the longest kind and some. 262,144. Full: closed. */
export const TCP_BACKLOG_BYTES = limit('tcp_backlog_bytes', 262_144);

/** Connections to each HTTP server. 64 x (8 KiB of headers and a page of 100 KiB) = 7 MiB. Full: closed unheard. */
export const ADMIN_CONNECTIONS = limit('admin_connections', 64);

/** Metrics pages made in a second. 10 x (1,000 series, 2 ms) = 2% of the thread, whoever asks. Full: the latest page again. */
export const METRICS_PAGES = limit('metrics_pages_per_second', 10);

/** Words of a Corefile with all that it imports. 131,072 x about 100 B = 13 MiB while it is read; a ConfigMap's mebibyte has fewer. Full: refused. */
export const COREFILE_TOKENS = limit('corefile_tokens', 131_072);

/** Imports of files and snippets by one Corefile: 1,024, each of which may move all words behind it, 1 MiB. Full: refused, for they never end. */
export const COREFILE_IMPORTS = limit('corefile_imports', 1024);

/** Names of hosts entries, all zones together. 50,000 x about 250 B = 12 MiB. Full: the configuration is refused. */
export const HOST_NAMES = limit('host_names', 50_000);

/** Names that stand for others, all zones together. 10,000 x about 0.7 KiB = 7 MiB. Full: the configuration is refused. */
export const ALIASES = limit('aliases', 10_000);

/** Addresses of one name in hosts entries: 2,048 x 28 B are 56 KiB, and an answer has room for 64. Full: the first so many are given. */
export const HOST_ADDRESSES = limit('host_addresses', 2048);

/** Characters of a configuration file, twice what a ConfigMap holds: 10,000 zones of 200. Parsed they are 100 times as much, for a moment. 2 MiB. Full: refused. */
export const CONFIG_BYTES = limit('config_bytes', 2 * 1024 * 1024);

/** Values of a configuration file, each time that an alias repeats one counted: 10,000 zones of 25. 250,000 x 300 B = 72 MiB for a moment. Full: refused. */
export const CONFIG_VALUES = limit('config_values', 250_000);

/**
 * Messages (updates, transfers ...) relayed byte for byte at one time. 256 x (64 KiB of an answer in passing, 64 KiB of the message at worst, two sockets) = 36 MiB;
 * usually 256 x 4 KiB. Full: SERVFAIL.
 */
export const RELAYS = limit('relays', 256);

/** The same of one client address: 32, an eighth of all. Full: SERVFAIL. */
export const RELAYS_PER_CLIENT = limit('relays_per_client', 32);

/** Bytes that one zone transfer may have waiting in a client's connection: a message of the longest kind, and what is read in one go. 131,072 on top of `tcp_backlog_bytes`. Full: the server is read no more until the client has taken them. */
export const RELAY_BUFFER_BYTES = limit('relay_buffer_bytes', 131_072);

/**
 * Zones that a NOTIFY, or an update without an answer, has dropped in the last two seconds. 64 x 0.5 KiB, and walks of the cache that take a twentieth of the thread
 * at most. Full: not dropped.
 */
export const DOUBTFUL_ZONES = limit('doubtful_zones', 64);

/**
 * Characters that one run of a system tool (iptables-save, nft ...) may say. 20,000 rules of kube-proxy x 250 B = 5 MiB (chains of single Services are not held); 33,554,432, held for a moment.
 * Full: given up, an error says so.
 */
export const TOOL_OUTPUT = limit('tool_output_characters', 33_554_432);

/** Connections to the API server: one for each kind that is watched, and for requests beside them. 8 x (32 KiB of TLS, 16 KiB in passing) = 384 KiB. Full: the next request waits. */
export const API_CONNECTIONS = limit('api_connections', 8);

/** Bytes of one object of a watch or a list: etcd takes 1.5 MiB. 2,097,152, held while it comes. Full: the watch begins anew, later. */
export const WATCH_OBJECT_BYTES = limit('watch_object_bytes', 2 * 1024 * 1024);

/** Bytes of one object that the API server is asked for: a Service has 2 KiB, and etcd takes 1.5 MiB. 2,097,152 for a moment. Full: given up, an error says so. */
export const API_OBJECT_BYTES = limit('api_object_bytes', 2 * 1024 * 1024);

/** Services that are known by name: 100,000 x (45 B of labels and up to 12 B of slots) = 5.4 MiB; 10,000 come to 0.6. Full: the watch is not taken for what there is, so cuts are asked for again. */
export const KNOWN_SERVICES = limit('known_services', 100_000);

/** Objects of one kind whose versions are kept: 200,000 x (60 B of names and 30 to 60 B of slots) = 24 MiB, off the heap; 10,000 come to 0.9. Full: the others count as changed whenever they are listed. */
export const FOLLOWED_OBJECTS = limit('followed_objects', 200_000);

/** Pods of this node that are known: 1,024 x about 0.6 KiB = 0.6 MiB; kubelet takes 110, by setting some hundreds. Full: whose an address is may be anyone of the others, so no search is completed. */
export const NODE_PODS = limit('node_pods', 1024);

/** Addresses of DNS pods that are known: 256 x 0.3 KiB = 77 KiB, and as many rules. Large clusters have some dozens. Full: the first so many, by address. */
export const CLUSTER_DNS_ENDPOINTS = limit('cluster_dns_endpoints', 256);

/** DNS pods that one node asks directly: 8 x 2 connections of 130 KiB = 2 MiB here, and in a pod the connections of an eighth of 5,000 nodes where there are 64 of them. Full: other nodes ask the others. */
export const CLUSTER_DNS_DIRECT = limit('cluster_dns_direct', 8);

/** Nodes whose names are answered: 10,000, twice what Kubernetes is built for, x 3 KiB (a name, a label, an address and its reverse; measured) = 30 MiB. Full: the names of the others are asked upstream. */
export const NODES = limit('nodes', 10_000);

/** Addresses of a node that are answered, and nodes that an address leads back to: nodes have one or two, and say themselves which. 16 x 269 B = 4.2 KiB in a reply. Full: the first ones, as the API has them or by name. */
export const NODE_ADDRESSES = limit('node_addresses', 16);

/** Bytes of the cache's snapshot in `--state`: 67,108,864, twice what the usual cache comes to; /run is memory. Full: what fits is kept. */
export const SNAPSHOT_BYTES = limit('snapshot_bytes', 64 * 1024 * 1024);

/** Characters of one message between an agent and its successor: the names of 250 sockets of 60 B each, with room. 65,536. Full: the connection ends, and the old one serves on. */
export const HANDOVER_MESSAGE = limit('handover_message_bytes', 65_536);

/** Processes on the hand-over socket at one time: one that takes over, those that stand by (two or three on a node), and some to spare. 16 x 70 KiB = 1.1 MiB. Full: refused. */
export const HANDOVER_LINKS = limit('handover_links', 16);

/** Listen addresses that nftables leads to the cluster DNS while the agent is gone: each has a mark, of 0x41 to 0x7f. 63, where a node has two to six. Full: the others have no fail-over. */
export const FAILOVERS = limit('failovers', 63);

/** Bytes of news of the node's network that wait while the loop is busy: 262,144, some 1,000 rules or 200 links. Two sockets. Full: what came is not read, all is looked at. */
export const NETWORK_NEWS_BYTES = limit('network_news_bytes', 262_144);
