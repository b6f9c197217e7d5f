const MIB = 2 ** 20;

/**
 * Beside the cache: 64 MiB of heap (three times what it has under load), 45 of Node.js itself, 20 of questions in flight and socket buffers, 65 while
 * 10,240 TCP clients are idle, 16 of `nft` or `iptables` while one runs, 14 to spare.
 */
const BESIDE_CACHE_MIB = 224;

/** What the agent has without load and with an empty cache: what the scheduler sets aside beside the cache. */
const AT_REST_MIB = 64;

/**
 * The pod's memory limit in MiB. The cache counts twice, for a successor gets it in memory that is the old pod's. A snapshot in a folder that is memory itself
 * counts as the pod's too, and twice, while the new one is written beside the last.
 */
export function memoryLimitMiB(cacheBytes: number, state: string | undefined): number {
  const copies = state !== undefined && isMemory(state) ? 4 : 2;
  return BESIDE_CACHE_MIB + Math.ceil((copies * cacheBytes) / MIB);
}

export function memoryRequestMiB(cacheBytes: number): number {
  return AT_REST_MIB + Math.ceil(cacheBytes / MIB);
}

/** Whether files of the folder live in memory on a node as distributions make it. */
function isMemory(folder: string): boolean {
  return /^\/(?:run|var\/run|dev\/shm)(?:\/|$)/.test(folder);
}
