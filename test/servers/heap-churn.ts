import { getHeapSpaceStatistics } from 'node:v8';

/** Loaded into an agent with `--import`: makes many objects on request, a third of which last a while, and says what V8 has taken for new ones, in bytes. */
process.on('message', () => {
  let kept: object[] = [];
  for (let i = 0; i < 3e6; i++) {
    const made = { i, list: [i] };
    if (i % 3 === 0) kept.push(made);
    if (kept.length > 20_000) kept = [];
  }
  process.send!(getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_size);
});
// The channel alone must not keep the agent alive.
process.channel?.unref();
