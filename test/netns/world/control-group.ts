import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const made = new Set<string>();

process.on('exit', () => {
  for (const folder of made) {
    try {
      rmdirSync(folder);
    } catch {
      // Whoever is still in it ends with us, a moment later.
    }
  }
});

export interface GroupBounds {
  readonly memoryBytes?: number;
  /** Of one core: 0.1 is a tenth. */
  readonly cpus?: number;
}

/** A control group of the kernel's, of the first version or the second: what runs in it has no more memory and time than that. */
export class ControlGroup {
  readonly #folders: readonly string[];

  static create(name: string, { memoryBytes, cpus }: GroupBounds): ControlGroup {
    const isFirst = existsSync(join(ROOT, 'memory'));
    const folder = (controller: string) => join(ROOT, isFirst ? controller : '', `signpost-${process.pid}-${name}`);
    const periodUs = 100_000;
    const files: [folder: string, file: string, value: string][] = [];
    if (memoryBytes !== undefined) {
      files.push([folder('memory'), isFirst ? 'memory.limit_in_bytes' : 'memory.max', `${memoryBytes}`]);
    }
    if (cpus !== undefined) {
      const quotaUs = Math.round(cpus * periodUs);
      files.push(
        isFirst
          ? [folder('cpu'), 'cpu.cfs_quota_us', `${quotaUs}`]
          : [folder('cpu'), 'cpu.max', `${quotaUs} ${periodUs}`],
      );
    }
    const folders = [...new Set(files.map(([path]) => path))];
    for (const path of folders) {
      mkdirSync(path);
      made.add(path);
    }
    for (const [path, file, value] of files) writeFileSync(join(path, file), value);
    return new ControlGroup(folders);
  }

  private constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  /** The process, with all of its threads, and what it will start. */
  add(pid: number): void {
    for (const folder of this.#folders) writeFileSync(join(folder, 'cgroup.procs'), `${pid}`);
  }

  /** Nobody may be in it any more. */
  delete(): void {
    for (const folder of this.#folders) {
      rmdirSync(folder);
      made.delete(folder);
    }
  }
}
