/** Every way in which a TCP connection ends: the label `reason`. */
export const CLOSE_REASONS = [
  'client', // by the client, in order
  'reset', // broken by the client or the network
  'first-query', // no whole query in time
  'idle', // asked nothing more
  'unfinished-frame', // began a message and did not end it in time
  'slow-reader', // did not take its answers
  'overload', // would have had to wait, and too many others were waiting
  'shutdown', // by us, at the end
] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];
