import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** A folder as kubelet mounts a ConfigMap: every key is a symlink through `..data`, which is a symlink to a folder that never changes. */
export class ConfigMapFolder {
  readonly path: string;
  #version = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** A new version of all keys, in the order in which kubelet's atomic writer does it. */
  swap(files: Readonly<Record<string, string>>): void {
    const data = join(this.path, '..data');
    const old = existsSync(data) ? readlinkSync(data) : undefined;
    const name = `..2026_${++this.#version}`;
    mkdirSync(join(this.path, name));
    for (const [key, text] of Object.entries(files)) writeFileSync(join(this.path, name, key), text);
    symlinkSync(name, join(this.path, '..data_tmp'));
    renameSync(join(this.path, '..data_tmp'), data);
    const keys = readdirSync(this.path).filter((key) => !key.startsWith('..'));
    for (const key of Object.keys(files)) {
      if (!keys.includes(key)) symlinkSync(join('..data', key), join(this.path, key));
    }
    for (const key of keys) if (files[key] === undefined) rmSync(join(this.path, key));
    if (old !== undefined) rmSync(join(this.path, old), { recursive: true });
  }
}
