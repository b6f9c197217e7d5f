import type { Said } from '../settings.ts';
import type { Note } from './note.ts';
import type { Token } from './token.ts';

/** Whom a `forward` asks: an address as the settings write it, a resolv.conf, or one of the two that NodeLocal DNSCache fills in at its start. */
export type Target =
  | { readonly kind: 'address'; readonly said: Said }
  | { readonly kind: 'resolv.conf'; readonly path: Said; readonly scheme: string }
  | { readonly kind: 'cluster-dns' | 'upstream-servers'; readonly scheme: string };

/** One `forward FROM TO...`. */
export interface ForwardDraft {
  readonly at: Token;
  /** Lower case, with the trailing dot. */
  readonly from: string;
  readonly targets: readonly Target[];
  /** Names that it leaves to what comes after it. */
  readonly except: ReadonlySet<string>;
  readonly policy?: Said;
  readonly tryTimeout?: Said;
  readonly caFile?: Said;
  readonly source?: Said;
}

/** One `cache`, in the settings' words. */
export interface CacheDraft {
  readonly at: Token;
  /** Undefined: all zones of the block. */
  readonly zones: readonly string[] | undefined;
  readonly maxTtl?: Said;
  readonly minTtl?: Said;
  readonly negativeMaxTtl?: Said;
  readonly negativeMinTtl?: Said;
  readonly prefetch?: Said;
  readonly stale?: Said;
  readonly staleAfter?: Said;
  readonly staleTtl?: Said;
  /** Zones, at and below which nothing of this kind is kept. */
  readonly notPositive: readonly string[];
  readonly notNegative: readonly string[];
}

export interface HostsDraft {
  readonly at: Token;
  readonly zones: readonly string[] | undefined;
  readonly lines: readonly Said[];
  readonly file: Said | undefined;
  /** False: what is not in it is not asked elsewhere. */
  readonly isFallthrough: boolean;
}

/** A `rewrite` of one name to another. Lower case, with the trailing dot. */
export interface AliasDraft {
  readonly at: Token;
  readonly from: string;
  readonly to: string;
  readonly said: Said;
  /** False: the rules after it see the name that it has made. */
  readonly isFinal: boolean;
}

/** Something that is said of zones within a block; undefined: of all its zones. */
export interface ZonesSaid {
  readonly zones: readonly string[] | undefined;
  readonly said: Said;
}

/** What the directives of one server block come to, before blocks are put together. */
export class BlockDraft {
  readonly forwards: ForwardDraft[] = [];
  readonly caches: CacheDraft[] = [];
  readonly hosts: HostsDraft[] = [];
  readonly aliases: AliasDraft[] = [];
  /** Zones of the `kubernetes` plugin. */
  readonly clusterZones: ZonesSaid[] = [];
  readonly noAaaa: ZonesSaid[] = [];
  readonly refused: ZonesSaid[] = [];
  readonly listenHosts: Said[] = [];
  readonly health: Said[] = [];
  logSample: Said | undefined;
  metrics: Said | undefined;
  lameduck: Said | undefined;
  logLevel: Said | undefined;
}

/** What a directive's reader is given besides its words. */
export interface ReadContext {
  readonly block: BlockDraft;
  readonly notes: Note[];
  /** The folder that paths in the block begin at (the directive `root`), where there is one. */
  readonly root: string | undefined;
}
