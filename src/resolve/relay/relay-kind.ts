import {
  OPCODE_MASK,
  OPCODE_NOTIFY,
  OPCODE_QUERY,
  OPCODE_UPDATE,
  TYPE_AXFR,
  TYPE_IXFR,
  TYPE_TKEY,
} from '../../wire/constants.ts';
import type { QueryView } from '../../wire/query.ts';

/** What is relayed. The label `kind`; `signed` are queries with TSIG or SIG(0), `other` further opcodes and types. */
export const RELAY_KINDS = ['update', 'notify', 'transfer', 'tkey', 'signed', 'other'] as const;

export type RelayKind = (typeof RELAY_KINDS)[number];

export function relayKind({ flags, type }: QueryView): RelayKind {
  const opcode = (flags & OPCODE_MASK) >> 11;
  if (opcode === OPCODE_UPDATE) return 'update';
  if (opcode === OPCODE_NOTIFY) return 'notify';
  if (opcode !== OPCODE_QUERY) return 'other';
  if (type === TYPE_AXFR || type === TYPE_IXFR) return 'transfer';
  if (type === TYPE_TKEY) return 'tkey';
  // The other types that come here unsigned are TSIG, MAILA and MAILB.
  return type > TYPE_TKEY && type < 255 ? 'other' : 'signed';
}
