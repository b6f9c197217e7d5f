/** What must not reach a terminal raw: names and addresses in a line come from the network. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/** A value that can be told from the next one without quotes. */
const PLAIN = /^[^\s"=]+$/;

/**
 * A line for people, made from a line of JSON: `time LEVEL message key=value …`. The stack of an error is left to JSON.
 */
export function logText(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  let text = `${time} ${String(level).toUpperCase().padEnd(5)} ${message ?? ''}`;
  for (const [key, value] of Object.entries(fields)) text += ` ${key}=${valueText(value)}`;
  return `${text.replace(CONTROL, escaped)}\n`;
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return PLAIN.test(value) ? value : JSON.stringify(value);
  if (isError(value))
    return JSON.stringify(value.code === undefined ? value.message : `${value.message} (${value.code})`);
  return JSON.stringify(value);
}

/** As pino writes an error. */
function isError(value: unknown): value is { message: string; code?: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
