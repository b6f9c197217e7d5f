/** What identifies a question in the cache; `QueryView` fulfils it. The question stands in `bytes`, 12 bytes after `start`. */
export interface CacheQuestion {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly nameEnd: number;
  readonly questionEnd: number;
  readonly nameHash: number;
  readonly type: number;
  readonly class: number;
  readonly dnssecOk: boolean;
  readonly flags: number;
}
