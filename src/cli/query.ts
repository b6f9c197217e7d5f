import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { Complaints, shown } from '../config/complaints.ts';
import type { SocketAddress } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { Refusal } from '../config/refusal.ts';
import { formatSocketAddress, parseSocketAddress } from '../config/socket-address.ts';
import { SignpostError } from '../core/errors.ts';

const DEFAULT_SERVER = '169.254.20.10';
/** More than the 5 s after which the agent itself gives up, so that its own word on that is seen. */
const DEFAULT_TIMEOUT = '6s';
const MAX_TIMEOUT_MS = 60_000;

interface QueryOptions {
  readonly server: string;
  readonly tcp?: boolean;
  readonly dnssec?: boolean;
  readonly json?: boolean;
  readonly timeout: string;
}

/** `signpost query`. */
export function defineQuery(command: Command): void {
  command
    .summary('ask the running agent, and see where the answer came from')
    .description(
      'Asks the running agent and prints like dig, with where the answer came from (;; FROM:) and how long it took.',
    )
    .argument('<NAME>', 'whole name; no search path is applied')
    .argument('[TYPE]', 'A, AAAA, SRV, PTR, TYPE65 …', 'A')
    .option('--server <IP[:PORT]>', 'the agent', DEFAULT_SERVER)
    .option('--tcp', 'ask over TCP (else UDP, and TCP where the answer is truncated)')
    .option('--dnssec', 'ask for DNSSEC records (DO)')
    .option('--timeout <DURATION>', 'how long to wait', DEFAULT_TIMEOUT)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action((name: string, type: string, options: QueryOptions) => query(name, type, options));
}

const EXAMPLES = `
Examples:
  signpost query web.default.svc.cluster.local
  signpost query _http._tcp.web.default.svc.cluster.local SRV --server 127.0.0.1:5300
  signpost query example.com AAAA --tcp --json`;

async function query(name: string, type: string, options: QueryOptions): Promise<void> {
  const [{ decodeMessage }, { exchange, NoAnswer }, { answerJson, answerText }] = await Promise.all([
    import('../wire/codec.ts'),
    import('./dns-exchange.ts'),
    import('./answer-text.ts'),
  ]);
  const { bytes, server, timeoutMs } = await prepare(name, type, options);
  const answer = await exchange(bytes, server, { isTcp: options.tcp === true, timeoutMs }).catch((error: unknown) => {
    if (!(error instanceof NoAnswer)) throw error;
    const remedy = 'is an agent running there? name another with --server IP[:PORT]';
    throw new SignpostError(
      'ERR_NO_AGENT',
      `Cannot ask ${formatSocketAddress(server)} (--server): ${error.message}; ${remedy}`,
      { cause: error },
    );
  });
  const told = { message: decodeMessage(answer.bytes), answer, server };
  process.stdout.write(
    options.json === true ? `${JSON.stringify(answerJson(told), undefined, 2)}\n` : answerText(told),
  );
}

/** The query's bytes, and where they go. Throws `ConfigErrors` with all that is wrong with the arguments. */
async function prepare(
  name: string,
  type: string,
  options: QueryOptions,
): Promise<{ bytes: Uint8Array; server: SocketAddress; timeoutMs: number }> {
  const [{ typeFromText }, { nameFromText }, { queryMessage }, { OPTION_ORIGIN }] = await Promise.all([
    import('../wire/type-names.ts'),
    import('../wire/name.ts'),
    import('./query-message.ts'),
    import('../wire/constants.ts'),
  ]);
  const complaints = new Complaints();
  const server = complaints.read('ERR_SERVER_ADDRESS', `ask ${shown(options.server)}`, '--server', () =>
    parseServer(options.server),
  );
  const timeoutMs = complaints.read('ERR_TIMEOUT', `wait ${shown(options.timeout)}`, '--timeout', () =>
    parseDuration(options.timeout, 1, MAX_TIMEOUT_MS),
  );
  const wireName = nameFromText(name);
  if (wireName === undefined) {
    complaints.add(
      'ERR_NAME',
      `Cannot ask for ${shown(name)} (NAME): expected a domain name, such as web.default.svc.cluster.local`,
    );
  }
  const typeNumber = typeFromText(type);
  if (typeNumber < 0) {
    complaints.add(
      'ERR_TYPE',
      `Cannot ask for type ${shown(type)} (TYPE): expected such as A, AAAA, SRV, PTR or TYPE65`,
    );
  }
  complaints.throwIfAny();
  const bytes = queryMessage(wireName!, typeNumber, {
    id: randomInt(65_536),
    dnssecOk: options.dnssec === true,
    askedOptions: [OPTION_ORIGIN],
  });
  return { bytes, server: server!, timeoutMs: timeoutMs! };
}

function parseServer(text: string): SocketAddress {
  const address = parseSocketAddress(text, 53);
  if (address.port === 0) throw new Refusal('the port is 0, expected 1 to 65535');
  return address;
}
