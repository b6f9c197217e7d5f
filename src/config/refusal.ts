/**
 * Why a value cannot be taken, without the option that it came with: `from-flags.ts` catches it and says the rest. The message goes on
 * after a colon: `expected IP or IP:PORT, such as 169.254.20.10`.
 */
export class Refusal extends Error {}
