import { SignpostError } from '../core/errors.ts';
import { type ElementStep, elementCommands } from './nftables-batch.ts';
import { compareTable, isSameDeclaration, type Listing, readListing, ruleBodies } from './nftables-listing.ts';
import { type ElementWriter, openElementWriter, renewal, withdrawal } from './nftables-switch.ts';
import { chainCommands, type NftTable, nftTable, setCommand, TABLE } from './nftables-table.ts';
import type { Finding, RuleKind } from './rule-kind.ts';
import { runTool } from './tool.ts';
import type { WantedRules } from './wanted-state.ts';

/** Our table `inet signpost`: written whole in one transaction, where it is not as wanted. */
export class NftablesRules implements RuleKind {
  readonly name = 'nftables';
  readonly #elements: ElementWriter;
  readonly #renewals = new WeakMap<WantedRules['listen'], readonly ElementStep[]>();
  #bodies: ReadonlyMap<string, string> = new Map();
  #latest: Promise<void> = Promise.resolve();
  /** The writing of a table with the switch on. Never rejects. */
  #arming: Promise<void> = Promise.resolve();

  static async open(): Promise<NftablesRules> {
    return new NftablesRules(await openElementWriter());
  }

  private constructor(elements: ElementWriter) {
    this.#elements = elements;
  }

  /** One after the other: the latest that was wanted is what stays. */
  apply(wanted: WantedRules, isServing: () => boolean = () => false): Promise<void> {
    const done = this.#latest.then(() => this.#applyNow(wanted, isServing));
    this.#latest = done.catch(() => {});
    return done;
  }

  async inspect(wanted: WantedRules): Promise<readonly Finding[]> {
    const present = await readTable();
    if (present === undefined) return [{ code: 'rules-missing', message: `table inet ${TABLE} is not there` }];
    return compareTable(nftTable(wanted), present, this.#bodies);
  }

  renew({ listen }: WantedRules): Promise<void> {
    const steps = this.#renewals.get(listen) ?? renewal(listen);
    this.#renewals.set(listen, steps);
    return this.#elements.write(steps);
  }

  async withdraw({ listen }: WantedRules): Promise<void> {
    // It would turn on again what is turned off here.
    await this.#arming;
    await this.#elements.write(withdrawal(listen));
  }

  async remove(): Promise<void> {
    // Added first: what is not there cannot be deleted.
    await nft(['-f', '-'], `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`);
  }

  close(): void {
    this.#elements.close();
  }

  async #applyNow(wanted: WantedRules, isServing: () => boolean): Promise<void> {
    const table = nftTable(wanted);
    const present = await readTable();
    if (present !== undefined && compareTable(table, present, this.#bodies).length === 0) return;
    const isOn = isServing();
    const writing = nft(['-f', '-'], replacement(table, present) + (isOn ? turnedOn(wanted) : ''));
    if (isOn) this.#arming = writing.catch(() => {});
    await writing;
    const written = await readTable();
    if (written !== undefined) this.#bodies = ruleBodies(written);
  }
}

/** What the kernel has of ours; undefined: no table. Rejects with `ERR_NFTABLES`. */
export async function readTable(): Promise<Listing | undefined> {
  const { code, stdout, stderr } = await runTool('nft', ['-j', 'list', 'table', 'inet', TABLE]);
  if (code === 0) return readListing(stdout);
  if (/No such file or directory/.test(stderr)) return undefined;
  throw refused(stderr);
}

/**
 * Commands that bring in the table. Sets whose elements come from elsewhere stay as they are, and so does the switch; chains are made anew, for what they hook into cannot be
 * changed.
 */
function replacement(table: NftTable, present: Listing | undefined): string {
  const { sets = [], chains = [] } = present ?? {};
  const kept = sets.filter((set) => table.sets.some((one) => one.name === set.name && isSameDeclaration(one, set)));
  const gone = sets.filter((set) => !kept.includes(set));
  const on = (what: string, name: string) => `${what} inet ${TABLE} ${name}`;
  return [
    `add table inet ${TABLE}`,
    `flush table inet ${TABLE}`,
    ...chains.map(({ name }) => on('delete chain', name)),
    ...gone.map(({ name }) => on('delete set', name)),
    ...table.sets.flatMap((set) => {
      if (set.elements === undefined) return [setCommand(set)];
      const elements =
        set.elements.length === 0 ? [] : [`${on('add element', set.name)} { ${set.elements.join(', ')} }`];
      return [setCommand(set), on('flush set', set.name), ...elements];
    }),
    ...chainCommands(table),
    '',
  ].join('\n');
}

/** The rest of a transaction that brings in the table. */
function turnedOn({ listen }: WantedRules): string {
  return elementCommands(TABLE, renewal(listen));
}

async function nft(args: readonly string[], input: string): Promise<void> {
  const { code, stderr } = await runTool('nft', args, { input });
  if (code !== 0) throw refused(stderr);
}

function refused(stderr: string): SignpostError {
  return new SignpostError('ERR_NFTABLES', `nft refuses table inet ${TABLE}: ${stderr.trim().split('\n')[0]}`);
}
