import { SignpostError } from '../core/errors.ts';
import { IpsetSwitch } from './ipset.ts';
import type { IptablesCommand } from './iptables-command.ts';
import type { Dump } from './iptables-dump.ts';
import { PREFIX, type RuleFeatures } from './iptables-rules.ts';
import type { IptablesSwitch } from './iptables-switch.ts';
import { findTool } from './tool.ts';
import type { Family } from './wanted-state.ts';
import { RecentSwitch } from './xt-recent.ts';

/** What the kernel can do is seen by a rule in a chain that nothing leads to. */
const PROBE = `${PREFIX}PROBE`;

export type SwitchKind = IptablesSwitch['name'];

export interface ProbeOptions {
  readonly families: readonly Family[];
  /** With it, zones are not used, and not tried. */
  readonly hasNoTrack: boolean;
  readonly kind?: SwitchKind | undefined;
}

/** The switch that this host has, and what else rules may use. Tries rules, in a chain of its own that is gone afterwards. Rejects with `ERR_SWITCH` where there is none. */
export async function probeFeatures(
  command: IptablesCommand,
  { families, hasNoTrack, kind }: ProbeOptions,
): Promise<RuleFeatures & { readonly switch: IptablesSwitch }> {
  const failures: string[] = [];
  for (const candidate of switches(kind)) {
    const failure = await probeSwitch(command, candidate, families);
    if (failure === undefined) {
      const [hasU32, hasZones] = [await takes(command, U32), hasNoTrack || (await takes(command, ZONES, 'raw'))];
      return { ...featuresOf(candidate, hasU32, hasZones), switch: candidate };
    }
    failures.push(`${candidate.name}: ${failure}`);
    candidate.close();
  }
  throw new SignpostError('ERR_SWITCH', `Cannot make the dead-man's switch: ${failures.join('; ')}`);
}

/** The same, as rules that are there already show it: nothing is tried. */
export function featuresFromDump(dump: Dump): RuleFeatures {
  const rules = [...dump.values()]
    .flatMap((chains) => [...chains].filter(([name]) => name.startsWith(PREFIX)))
    .flatMap(([, chain]) => chain.rules);
  const isRecent = rules.some((rule) => rule.includes('-m recent '));
  // Without a reset to look at, what a kernel usually has.
  const hasU32 = !rules.some((rule) => rule.includes('-m length '));
  const hasZones = rules.length === 0 || rules.some((rule) => rule.includes('--zone-orig '));
  return featuresOf(isRecent ? new RecentSwitch() : new IpsetSwitch(), hasU32, hasZones);
}

/** Only the table raw takes it. */
const ZONES = '-j CT --zone-orig 1';

const U32 = '-m u32 --u32 "0x0&0x1=0x1" -j RETURN';

function featuresOf(found: IptablesSwitch, hasU32: boolean, hasZones: boolean): RuleFeatures {
  return {
    isArmed: (family) => found.isArmed(family),
    isDisarmed: (family) => found.isDisarmed(family),
    hasU32,
    hasZones,
  };
}

function switches(kind: SwitchKind | undefined): IptablesSwitch[] {
  const all: IptablesSwitch[] = [new IpsetSwitch(), new RecentSwitch()];
  return kind === undefined ? all : all.filter(({ name }) => name === kind);
}

/** Why it cannot be had, or undefined. */
async function probeSwitch(
  command: IptablesCommand,
  candidate: IptablesSwitch,
  families: readonly Family[],
): Promise<string | undefined> {
  if (candidate.name === 'ipset' && findTool('ipset') === undefined) return 'the program is not installed';
  try {
    await candidate.prepare(families);
    return (await takes(command, `${candidate.isArmed(command.family)} -j RETURN`))
      ? undefined
      : 'iptables cannot match it';
  } catch (error) {
    return (error as Error).message;
  }
}

async function takes(command: IptablesCommand, rule: string, table = 'filter'): Promise<boolean> {
  const chain = `:${PROBE} - [0:0]`;
  try {
    await command.restore(`*${table}\n${chain}\n-A ${PROBE} ${rule}\nCOMMIT\n`);
    await command.restore(`*${table}\n${chain}\n-X ${PROBE}\nCOMMIT\n`);
    return true;
  } catch (error) {
    if ((error as SignpostError).code === 'ERR_IPTABLES') return false;
    throw error;
  }
}
