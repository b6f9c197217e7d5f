import type { Command } from 'commander';
import type { Status } from '../admin/status.ts';
import { Complaints, shown } from '../config/complaints.ts';
import type { SocketAddress } from '../config/config.ts';
import { Refusal } from '../config/refusal.ts';
import { formatSocketAddress, parseSocketAddress } from '../config/socket-address.ts';
import { SignpostError } from '../core/errors.ts';

const DEFAULT_ADMIN = '127.0.0.1:9254';
const ADMIN_PORT = 9254;
const TIMEOUT_MS = 5000;

interface StatusOptions {
  readonly admin: string;
  readonly json?: boolean;
}

/** `signpost status`. */
export function defineStatus(command: Command): void {
  command
    .summary('the running agent: is it ready, what does it answer, how do its upstreams stand')
    .description('Asks the running agent through its admin address and prints what it says of itself.')
    .option('--admin <IP[:PORT]>', "the agent's --admin address", DEFAULT_ADMIN)
    .option('--json', 'print JSON, as GET /api/v1/status gives it')
    .addHelpText('after', EXAMPLES)
    .action((options: StatusOptions) => status(options));
}

const EXAMPLES = `
Examples:
  signpost status
  signpost status --json | jq '.zones[].upstreams[] | select(.state != "up")'`;

async function status({ admin, json }: StatusOptions): Promise<void> {
  const complaints = new Complaints();
  const address = complaints.read('ERR_ADMIN_ADDRESS', `ask ${shown(admin)}`, '--admin', () => parseAdmin(admin));
  complaints.throwIfAny();
  const text = await fetchStatus(address!);
  if (json === true) {
    process.stdout.write(`${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
    return;
  }
  const { statusText } = await import('./status-text.ts');
  process.stdout.write(statusText(JSON.parse(text) as Status));
}

/** Throws ERR_NO_AGENT where nobody answers there, or something else than an agent. */
async function fetchStatus(address: SocketAddress): Promise<string> {
  const place = formatSocketAddress(address);
  try {
    const response = await fetch(`http://${place}/api/v1/status`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    if ((JSON.parse(text) as Partial<Status>).zones === undefined)
      throw new Error('its answer is not that of an agent');
    return text;
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? cause.message : message;
    const remedy = 'is an agent running there? name its address with --admin IP[:PORT]';
    throw new SignpostError('ERR_NO_AGENT', `Cannot ask ${place} (--admin): ${why}; ${remedy}`, { cause: error });
  }
}

function parseAdmin(text: string): SocketAddress {
  const address = parseSocketAddress(text, ADMIN_PORT);
  if (address.port === 0) throw new Refusal('the port is 0, expected 1 to 65535');
  return address;
}
