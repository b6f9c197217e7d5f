import { fileURLToPath } from 'node:url';
import type { IptablesRulesParts } from '../../src/node-network/iptables.ts';
import type { Finding } from '../../src/node-network/rule-kind.ts';
import type { WantedRules } from '../../src/node-network/wanted-state.ts';
import { Child } from '../servers/child.ts';
import { program } from '../servers/programs.ts';
import type { Answer, Request } from './iptables-process.ts';
import type { Namespace } from './namespace.ts';

const PROGRAM = fileURLToPath(new URL('iptables-process.ts', import.meta.url));

/** The rules of a node, by a process in its namespace. */
export class IptablesNode {
  readonly child: Child;
  readonly #node: Namespace;
  wanted: WantedRules;
  /** `ipset` or `xt_recent`, once there are rules. */
  switchKind: string | undefined;

  constructor(
    node: Namespace,
    parts: Omit<IptablesRulesParts, 'log'>,
    wanted: WantedRules,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#node = node;
    this.wanted = wanted;
    const [first, ...rest] = node.prefix;
    this.child = new Child(first!, [...rest, process.execPath, PROGRAM, JSON.stringify(parts)], {
      hasChannel: true,
      env: { ...process.env, ...env },
    });
  }

  async call(call: Request['call'], count?: number): Promise<unknown> {
    const request: Request = { call, wanted: this.wanted, ...(count !== undefined && { count }) };
    const answer = (await this.child.request(JSON.stringify(request))) as Answer;
    if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    this.switchKind = answer.switchKind;
    return answer.result;
  }

  async findings(): Promise<readonly Finding[]> {
    return (await this.call('inspect')) as readonly Finding[];
  }

  /** What all of iptables holds on the node, dates aside; empty tables are none. */
  async saved(): Promise<string> {
    const texts = ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'].map((name) =>
      this.#node.run(program(`${name}-save`)),
    );
    return (await Promise.all(texts)).map(({ stdout }) => withoutEmptyTables(stdout)).join('');
  }
}

function withoutEmptyTables(text: string): string {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\[\d+:\d+\]/g, '')
    .replaceAll(/^\*\w+\n(?::[A-Z]+ ACCEPT .*\n)*COMMIT\n/gm, '');
}
