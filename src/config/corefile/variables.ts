import type { Token } from './token.ts';
import { CorefileRefusal } from './token-cursor.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Far more than a line has; a variable whose value names itself would be replaced for ever. */
const MAX_REPLACEMENTS = 256;
const MAX_LENGTH = 65_536;

/** `token` with the values of `{%NAME%}` and `{$NAME}` in it, empty where the environment has none. A value may name another variable. */
export function withVariables(token: Token, env: Environment): Token {
  if (!token.text.includes('{')) return token;
  const text = replaced(token, replaced(token, token.text, '{%', '%}', env), '{$', '}', env);
  return text === token.text ? token : { ...token, text };
}

function replaced(token: Token, text: string, open: string, close: string, env: Environment): string {
  let result = text;
  for (let count = 0; ; count++) {
    const start = result.indexOf(open);
    const end = start < 0 ? -1 : result.indexOf(close, start);
    // `{$}` names nothing and stays, with all behind it.
    if (end <= start + open.length) return result;
    const reference = result.slice(start, end + close.length);
    result = result.replaceAll(reference, () => env[reference.slice(open.length, -close.length)] ?? '');
    if (count > MAX_REPLACEMENTS || result.length > MAX_LENGTH) {
      throw new CorefileRefusal(token, `the variables in ${JSON.stringify(token.text)} name each other without end`);
    }
  }
}
