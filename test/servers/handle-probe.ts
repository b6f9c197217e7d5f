/** Loaded into an agent with `--import` and `--expose-gc`: says on request what it holds open, by kind, and how much of its heap is alive. */
process.on('message', () => {
  const collect = (globalThis as { gc?: () => void }).gc!;
  collect();
  collect();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  process.send!({ handles, heapUsed: process.memoryUsage().heapUsed });
});
// The channel alone must not keep the agent alive.
process.channel?.unref();
