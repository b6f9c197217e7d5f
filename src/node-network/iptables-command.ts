import { SignpostError } from '../core/errors.ts';
import { type Dump, parseDump } from './iptables-dump.ts';
import { findTool, runTool } from './tool.ts';
import type { Family } from './wanted-state.ts';

/** iptables comes twice: over nf_tables, and over its own part of the kernel. Rules of one are not seen by the other. */
export type IptablesVariant = 'nft' | 'legacy';

export const VARIANTS: readonly IptablesVariant[] = ['nft', 'legacy'];

/** Another that holds the lock of iptables-legacy is waited for so long. */
const LOCK_SECONDS = 5;

/** The programs of one variant and family. */
export class IptablesCommand {
  readonly variant: IptablesVariant;
  readonly family: Family;
  /** `iptables-nft`, as people know it. */
  readonly name: string;

  constructor(variant: IptablesVariant, family: Family) {
    this.variant = variant;
    this.family = family;
    this.name = `${family === 6 ? 'ip6' : 'ip'}tables-${variant}`;
  }

  get isInstalled(): boolean {
    return findTool(`${this.name}-save`) !== undefined && findTool(`${this.name}-restore`) !== undefined;
  }

  /** What is there, of all tables; the kernel makes none for it. Rejects with `ERR_IPTABLES` where the tool says that it cannot read. */
  async save(): Promise<Dump> {
    return parseDump(await this.saveText());
  }

  async saveText(): Promise<string> {
    const { code, stdout, stderr } = await runTool(`${this.name}-save`, []);
    if (code !== 0)
      throw new SignpostError('ERR_IPTABLES', `Cannot read the rules (${this.name}-save): ${firstLine(stderr)}`);
    return stdout;
  }

  /** Rejects with `ERR_IPTABLES_LOCK` where others held the lock all the time, else `ERR_IPTABLES` with what the tool says. */
  async restore(text: string): Promise<void> {
    const { code, stderr } = await runTool(`${this.name}-restore`, ['--noflush', '-w', `${LOCK_SECONDS}`], {
      input: text,
    });
    if (code === 0) return;
    if (code === 4 || /xtables lock/.test(stderr)) {
      throw new SignpostError(
        'ERR_IPTABLES_LOCK',
        `Cannot write rules (${this.name}-restore): another program held the lock for ${LOCK_SECONDS} s`,
      );
    }
    throw new SignpostError('ERR_IPTABLES', `Cannot write rules (${this.name}-restore): ${firstLine(stderr)}`);
  }
}

function firstLine(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.slice(0, 2).join('; ') || 'it says nothing';
}
