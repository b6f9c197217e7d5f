import { fileURLToPath } from 'node:url';
import type { Child } from '../../servers/child.ts';
import type { World } from './world.ts';

const EVALUATE = fileURLToPath(new URL('evaluate.ts', import.meta.url));

/** Node's flag with which an agent can be brought to what it would never do: the product has no back door. */
export const INSPECTED = ['--inspect=127.0.0.1:0'] as const;

/** Keeps the event loop of an inspected agent busy for so long, as an endless loop in a callback would. */
export async function blockLoop(world: World, agent: Child, ms: number): Promise<void> {
  await evaluate(world, agent, `setTimeout(() => { const end = Date.now() + ${ms}; while (Date.now() < end); }, 50)`);
}

/** Has an inspected agent take memory until somebody ends it. */
export async function takeAllMemory(world: World, agent: Child): Promise<void> {
  await evaluate(world, agent, 'globalThis.taken = []; setInterval(() => taken.push(Buffer.alloc(2 ** 24, 1)), 1)');
}

async function evaluate(world: World, agent: Child, expression: string): Promise<void> {
  const url = () => /Debugger listening on (ws:\S+)/.exec(agent.output)?.[1];
  await agent.waitUntil('inspected', () => url() !== undefined);
  const { code, stderr } = await world.node.run(process.execPath, EVALUATE, url()!, expression);
  if (code !== 0) throw new Error(`Cannot reach the agent's inspector at ${url()}: ${stderr}`);
}
