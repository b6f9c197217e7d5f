import { LAYOUT_ARCHITECTURES } from './struct-layout.ts';

export type Koffi = typeof import('koffi').default;

/** Calls of C functions. Loaded when first wanted: it takes some 20 ms. Rejects where it cannot be, or our layouts do not hold. */
export async function foreign(): Promise<Koffi> {
  if (process.platform !== 'linux' || !LAYOUT_ARCHITECTURES.includes(process.arch)) {
    throw new Error(`no layouts of structures for ${process.platform} on ${process.arch}`);
  }
  return (await import('koffi')).default;
}
