/** `id.server. CH TXT` (RFC 4892), which the agent answers itself, from no cache and no upstream: for questions to oneself. The ID is written in front. */
export const SELF_QUESTION: Readonly<Uint8Array> = Buffer.from(
  '000000000001000000000000026964067365727665720000100003',
  'hex',
);
