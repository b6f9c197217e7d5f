import { type Message, TYPES } from '../client/message.ts';
import type { NameAndType } from '../servers/zones/questions.ts';
import { KINDS, NO_SUCH_NAME, type RecordKind, type Requirement, specifiedData } from './specification.ts';

const NXDOMAIN = 3;

/** Records of one kind that a server gives too few or too many of. */
export interface Difference {
  readonly kind: RecordKind;
  readonly what: 'missing' | 'unexpected';
  /** Those whose answers differ. */
  readonly questions: readonly NameAndType[];
  /** How many there are of this kind. */
  readonly of: number;
}

/** Each question that the requirements speak of, once, in their order. */
export function questionsOf(requirements: readonly Requirement[]): NameAndType[] {
  return [...new Map(requirements.map(({ question }) => [keyOf(question), question])).values()];
}

/** What a server's answers have too few or too many of, by kind; none where it keeps the specification. */
export function differencesOf(
  requirements: readonly Requirement[],
  answerTo: (question: NameAndType) => Message,
): Difference[] {
  const asked = new Map(questionsOf(requirements).map((question) => [keyOf(question), question]));
  const given = new Map([...asked].map(([key, question]) => [key, dataOf(answerTo(question), question)]));
  const wanted = new Map<string, Set<string>>([...asked.keys()].map((key) => [key, new Set()]));
  for (const { question, data } of requirements) wanted.get(keyOf(question))!.add(data);
  const isMissing = ({ question, data }: Requirement) => !given.get(keyOf(question))!.has(data);
  const isUnexpected = ({ question }: Requirement) => {
    const all = wanted.get(keyOf(question))!;
    return [...given.get(keyOf(question))!].some((data) => !all.has(data) && data !== NO_SUCH_NAME);
  };
  return Object.values(KINDS).flatMap((kind) => {
    const ofKind = requirements.filter((one) => one.kind === kind);
    const of = questionsOf(ofKind).length;
    const missing: Difference = { kind, what: 'missing', questions: questionsOf(ofKind.filter(isMissing)), of };
    const unexpected: Difference = {
      kind,
      what: 'unexpected',
      questions: questionsOf(ofKind.filter(isUnexpected)),
      of,
    };
    return [missing, unexpected].filter(({ questions }) => questions.length > 0);
  });
}

/** The difference in a sentence, such as `PTR for endpoints without hostname is missing at the cluster DNS`. */
export function nameOf({ kind, what }: Difference, server: string): string {
  if (what === 'missing') return `${kind.title} is missing at ${server}`;
  return `${kind.title}: ${server} has more than the specification asks for`;
}

function keyOf([name, type]: NameAndType): string {
  return `${name} ${type}`;
}

/** The records of the type that was asked for, at the name that was asked for, as requirements have them. */
function dataOf({ answers, rcode }: Message, [name, type]: NameAndType): Set<string> {
  const own = answers.filter((record) => record.type === TYPES[type] && record.owner === `${name.toLowerCase()}.`);
  const data = own.map((record) => specifiedData(record.type, record.data));
  return new Set(rcode === NXDOMAIN ? [...data, NO_SUCH_NAME] : data);
}

/** What docs/conformance.md says is asked of each kind, as lines of its table. */
export function kindsAsTable(requirements: readonly Requirement[]): string {
  const rows = Object.values(KINDS).map((kind) => {
    const ofKind = requirements.filter((one) => one.kind === kind);
    return `| ${kind.section} | ${kind.title} | ${questionsOf(ofKind).length} | ${ofKind.length} |`;
  });
  return rows.join('\n');
}
