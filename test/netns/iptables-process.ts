import { silentLogger } from '../../src/core/logger.ts';
import { IptablesRules, type IptablesRulesParts } from '../../src/node-network/iptables.ts';
import type { WantedRules } from '../../src/node-network/wanted-state.ts';

/** What the process is told: the room's own calls, and `renewing`, which does so every second from then on or no longer. */
export interface Request {
  readonly call: 'apply' | 'inspect' | 'renew' | 'withdraw' | 'remove' | 'renewing' | 'cycles';
  readonly wanted: WantedRules;
  readonly count?: number;
}

export interface Answer {
  readonly error?: { readonly code: string; readonly message: string };
  readonly result?: unknown;
  readonly switchKind?: string | undefined;
}

const parts = JSON.parse(process.argv[2]!) as Omit<IptablesRulesParts, 'log'>;
const rules = new IptablesRules({ ...parts, log: silentLogger });
let timer: NodeJS.Timeout | undefined;

process.on('message', async (text: string) => {
  const request: Request = JSON.parse(text);
  process.send!(await answerTo(request));
});

async function answerTo(request: Request): Promise<Answer> {
  try {
    const result = await perform(request);
    return { result, switchKind: rules.switchKind };
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    return { error: { code, message } };
  }
}

async function perform({ call, wanted, count = 0 }: Request): Promise<unknown> {
  clearInterval(timer);
  if (call === 'cycles') {
    for (let at = 0; at < count; at++) if ((await rules.inspect(wanted)).length > 0) await rules.apply(wanted);
    return undefined;
  }
  if (call !== 'renewing') return rules[call](wanted);
  if (count === 0) return undefined;
  timer = setInterval(() => rules.renew(wanted).catch(() => {}), 1000);
  return rules.renew(wanted);
}
