import { silentLogger } from '../../core/logger.ts';
import { IptablesRules } from '../../node-network/iptables.ts';
import { chooseVariant, readVariantDumps } from '../../node-network/iptables-variant.ts';
import { NftablesRules } from '../../node-network/nftables.ts';
import type { Finding, RuleKind } from '../../node-network/rule-kind.ts';
import { type Diagnosis, error, note, ok, warning } from '../diagnosis.ts';
import type { NetworkReading } from '../network-reading.ts';
import type { Patient } from '../patient.ts';
import type { Check } from './check.ts';

const HEALS = "the agent mends it within seconds; if it is there again: see who else writes rules, and the agent's log";

/** Rules that lead queries to the agent: missing, changed, twice, or of two kinds at once. */
export const rulesCheck: Check = {
  name: 'rules',
  async look(patient: Patient) {
    const reading = await patient.network();
    const { mode, reason, traces } = reading;
    const findings: Diagnosis[] = [
      ...traces.unseen.map((why) =>
        note('rules-unseen', why, "nft, iptables and ip are in the agent's image; they need NET_ADMIN"),
      ),
      ...twoKinds(reading),
      ...repairs(reading),
    ];
    if (mode === 'off' || mode === 'interface') {
      const message = `--node-network is ${mode} (${reason}): nothing is led to the agent, and nobody stands in when it is gone`;
      return [
        ...findings,
        note('rules-off', message, 'pods that name its address depend on it; --node-network auto has a fall-back'),
      ];
    }
    return [...findings, ...(await compare(reading, patient))];
  },
};

/** What an earlier mode has left works against the one in force. */
function twoKinds({ mode, traces }: NetworkReading): Diagnosis[] {
  const { table, chains } = traces;
  const remedy =
    'the agent takes away the other kind when it starts: restart it; where it does not run: signpost teardown';
  const findings: Diagnosis[] = [];
  if (table !== undefined && mode !== 'nftables') {
    findings.push(warning('rules-left', `the nftables table inet signpost is there, and the mode is ${mode}`, remedy));
  }
  if (chains.length > 0 && mode !== 'iptables') {
    findings.push(warning('rules-left', `chains of ours are in ${chains.join(', ')}, and the mode is ${mode}`, remedy));
  }
  return findings;
}

function repairs({ report }: NetworkReading): Diagnosis[] {
  if (report === undefined) return [];
  const mended = Object.entries(report.repairs).map(([code, count]) => `${code} ${count} times`);
  const failed = Object.entries(report.errors).map(([step, count]) => `${step} ${count} times`);
  return [
    ...(mended.length === 0
      ? []
      : [
          note(
            'rules-mended',
            `since it began the agent has mended ${mended.join(', ')}`,
            'somebody else changes the rules: its log has the times',
          ),
        ]),
    ...(failed.length === 0
      ? []
      : [warning('rules-failed', `since it began the agent could not ${failed.join(', ')}`, 'its log says why')]),
  ];
}

async function compare({ mode, reason, wanted, report }: NetworkReading, { agents }: Patient): Promise<Diagnosis[]> {
  if (report?.state === 'idle' || report?.state === 'prepared') {
    return [
      error(
        'rules-waiting',
        'not brought in yet: the agent leads queries to itself once it has something to answer with',
        'see upstreams',
      ),
    ];
  }
  if (wanted === undefined) return [note('rules-unknown', 'not known which there should be: see configuration')];
  const kind = await open(mode);
  if (kind === undefined) return [error('rules-impossible', `the mode is ${mode}, and this node has no iptables`)];
  try {
    const found = await kind.inspect(wanted.rules);
    if (found.length === 0) return [ok('rules', `${mode} (${reason}): all are in place`)];
    return found.map((finding) => (agents.length === 0 ? withoutAgent(finding) : withAgent(finding)));
  } finally {
    kind.close();
  }
}

/** Opened to look alone: nothing is written. */
async function open(mode: string): Promise<RuleKind | undefined> {
  if (mode === 'nftables') return NftablesRules.open();
  const { variant } = chooseVariant(await readVariantDumps());
  return variant && new IptablesRules({ variant, log: silentLogger });
}

function withAgent({ code, message, remedy }: Finding): Diagnosis {
  return error(code, message, remedy ?? HEALS);
}

/** They are the last agent's: what is missing of them is missing of the fail-over. */
function withoutAgent({ code, message, remedy }: Finding): Diagnosis {
  return warning(code, `${message} (no agent runs that would mend it)`, remedy);
}
