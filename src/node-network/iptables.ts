import { isIPv6 } from 'node:net';
import type { SignpostError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { IpsetSwitch } from './ipset.ts';
import { IptablesCommand, type IptablesVariant, VARIANTS } from './iptables-command.ts';
import { compareDump, hasOwnRules, type Readings, readBack, restoreText } from './iptables-diff.ts';
import type { Dump } from './iptables-dump.ts';
import { featuresFromDump, probeFeatures, type SwitchKind } from './iptables-features.ts';
import { type RuleFeatures, wantedChains } from './iptables-rules.ts';
import type { IptablesSwitch } from './iptables-switch.ts';
import { TargetSource } from './iptables-targets.ts';
import type { Finding, RuleKind } from './rule-kind.ts';
import type { Family, WantedRules } from './wanted-state.ts';
import { isRecentThere, RecentSwitch } from './xt-recent.ts';

const FAMILIES: readonly Family[] = [4, 6];

const OWN_TABLES = ['raw', 'nat', 'filter'];

/** What changed between reading and writing is read again. */
const TRIES = 3;

export interface IptablesRulesParts {
  /** The one that the host uses: `chooseVariant` knows. */
  readonly variant: IptablesVariant;
  readonly log: Logger;
  /** Undefined: ipset where the host has it, else xt_recent. */
  readonly switchKind?: SwitchKind;
}

/** Own chains, and jumps into them at the head of the built-in ones. One `iptables-restore` a family brings in all, and an ipset or a list of xt_recent is the switch. */
export class IptablesRules implements RuleKind {
  readonly name = 'iptables';
  readonly variant: IptablesVariant;
  readonly #log: Logger;
  readonly #switchKind: SwitchKind | undefined;
  readonly #targets = new TargetSource();
  /** How this host's tools print what was written, where that is not as expected. */
  readonly #readings: Readings = new Map();
  #features: (RuleFeatures & { readonly switch: IptablesSwitch }) | undefined;
  /** The switch of an earlier process. */
  #before: IptablesSwitch | undefined;
  #hasCleaned = false;
  /** Reading and writing are one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ variant, log, switchKind }: IptablesRulesParts) {
    this.variant = variant;
    this.#log = log;
    this.#switchKind = switchKind;
  }

  /** Which switch it found; undefined before the first `apply`. */
  get switchKind(): SwitchKind | undefined {
    return this.#features?.switch.name;
  }

  apply(wanted: WantedRules, isServing: () => boolean = () => false): Promise<void> {
    return this.#inTurn(async () => {
      const families = FAMILIES.filter((family) => hasFamily(wanted, family));
      if (families.length > 0) await this.#prepare(families, wanted.hasNoTrack);
      for (const family of FAMILIES) await this.#applyFamily(wanted, family, isServing);
      if (!this.#hasCleaned) await this.#cleanOthers(families);
      this.#hasCleaned = true;
    });
  }

  inspect(wanted: WantedRules): Promise<readonly Finding[]> {
    return this.#inTurn(async () => {
      const findings: Finding[] = [];
      for (const family of FAMILIES) {
        // Of a family that nobody listens on, `apply` has taken out what was there.
        if (!hasFamily(wanted, family)) continue;
        const command = new IptablesCommand(this.variant, family);
        const dump = await command.save(OWN_TABLES, this.#targets.chains(command));
        const chains = wantedChains(
          await this.#targets.fill(wanted, command, dump),
          family,
          this.#features ?? featuresFromDump(dump),
        );
        findings.push(...compareDump(dump, chains, command.name, this.#readings));
      }
      return findings;
    });
  }

  async renew({ listen }: WantedRules): Promise<void> {
    // Until ours are written, which may wait for the lock of others, the rules of the process before are there, and match the same.
    if (this.#features === undefined) this.#before ??= isRecentThere() ? new RecentSwitch() : new IpsetSwitch();
    await (this.#features?.switch ?? this.#before)?.renew(listen);
  }

  async withdraw({ listen }: WantedRules): Promise<void> {
    await (this.#features?.switch ?? this.#before)?.withdraw(listen);
  }

  remove(): Promise<void> {
    return this.#inTurn(async () => {
      for (const variant of VARIANTS) {
        for (const family of FAMILIES) await removeRules(new IptablesCommand(variant, family));
      }
      this.#features?.switch.close();
      this.#features = undefined;
      for (const kind of [new IpsetSwitch(), new RecentSwitch()]) await kind.remove();
    });
  }

  close(): void {
    this.#before?.close();
    this.#features?.switch.close();
  }

  /** What rules will refer to. Again before each writing: somebody may have destroyed it together with the rules. */
  async #prepare(families: readonly Family[], hasNoTrack: boolean): Promise<void> {
    if (this.#features !== undefined) return this.#features.switch.prepare(families);
    const command = new IptablesCommand(this.variant, families[0]!);
    this.#features = await probeFeatures(command, { families, hasNoTrack, kind: this.#switchKind });
    this.#log.debug(
      { tool: command.name, switch: this.#features.switch.name, u32: this.#features.hasU32 },
      'Rules by iptables',
    );
  }

  async #applyFamily(wanted: WantedRules, family: Family, isServing: () => boolean): Promise<void> {
    const command = new IptablesCommand(this.variant, family);
    // A family that nobody listens on may be switched off in the kernel.
    if (!hasFamily(wanted, family)) return removeRules(command).catch(() => {});
    for (let tries = 1; ; tries++) {
      const dump = await command.save(OWN_TABLES, this.#targets.chains(command));
      const chains = wantedChains(await this.#targets.fill(wanted, command, dump), family, this.#features!);
      if (compareDump(dump, chains, command.name, this.#readings).length === 0) return;
      try {
        const { needsNoRules } = this.#features!.switch;
        if (needsNoRules) await this.#turnOn(wanted, family, isServing);
        await command.restore(restoreText(dump, chains)!);
        if (!needsNoRules) await this.#turnOn(wanted, family, isServing);
        readBack(await command.save(OWN_TABLES), chains, this.#readings);
        return;
      } catch (error) {
        if (tries === TRIES || (error as SignpostError).code !== 'ERR_IPTABLES') throw error;
      }
    }
  }

  /** What fails here is told by the renewal that follows. */
  async #turnOn({ listen }: WantedRules, family: Family, isServing: () => boolean): Promise<void> {
    if (isServing()) await this.#features!.switch.renew(ofFamily(listen, family)).catch(() => {});
  }

  /** What an earlier process left in the other variant, with the other switch, or for a family that nobody listens on now. */
  async #cleanOthers(families: readonly Family[]): Promise<void> {
    const other = VARIANTS.find((variant) => variant !== this.variant)!;
    for (const family of FAMILIES) {
      await removeRules(new IptablesCommand(other, family)).catch((error: Error) => {
        this.#log.warn(
          { reason: error.message },
          `Cannot look for rules that an earlier process left in iptables-${other}`,
        );
      });
    }
    const unused = FAMILIES.filter((family) => this.switchKind === 'xt_recent' || !families.includes(family));
    if (unused.length > 0) await new IpsetSwitch().remove(unused).catch(() => {});
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }
}

/** Takes out chains of ours and all that leads into them. */
async function removeRules(command: IptablesCommand): Promise<void> {
  if (!command.isInstalled) return;
  for (let tries = 1; ; tries++) {
    const dump: Dump = await command.save(OWN_TABLES);
    if (!hasOwnRules(dump)) return;
    try {
      await command.restore(restoreText(dump, [])!);
    } catch (error) {
      if (tries === TRIES || (error as SignpostError).code !== 'ERR_IPTABLES') throw error;
    }
  }
}

function hasFamily({ listen }: WantedRules, family: Family): boolean {
  return ofFamily(listen, family).length > 0;
}

function ofFamily(listen: WantedRules['listen'], family: Family): WantedRules['listen'] {
  return listen.filter(({ host }) => isIPv6(host) === (family === 6));
}
