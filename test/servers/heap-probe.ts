/** Loaded into an agent with `--import` and `--expose-gc`: says on request what its heap holds after a full collection. */
process.on('message', () => {
  const collect = (globalThis as { gc?: () => void }).gc!;
  collect();
  collect();
  const { heapUsed, heapTotal } = process.memoryUsage();
  process.send!({ heapUsed, heapTotal });
});
// The channel alone must not keep the agent alive.
process.channel?.unref();
