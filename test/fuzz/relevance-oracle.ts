import { expectedName, type RecordRead, type ReplyRead } from './oracle.ts';

/** Octets before the names of a type's RDATA; NAPTR has character-strings there. */
const OCTETS_BEFORE: Readonly<Record<number, number>> = {
  ...Object.fromEntries([2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 17, 30, 39, 47].map((type) => [type, 0])),
  ...Object.fromEntries([15, 18, 21, 26, 36, 64, 65].map((type) => [type, 2])),
  33: 6,
  24: 18,
  46: 18,
};
const NAPTR = 35;
const MOST_LINKS = 16;
const MOST_PASSES = 3;

/**
 * Which records of a reply belong to its question, read the plain way: a list for each section. Undefined where there are more CNAME records than are followed, or no
 * question.
 */
export function expectedRelevance(octets: Uint8Array, reply: ReplyRead, dnssecOk: boolean): boolean[][] | undefined {
  if (reply.questionEnd === 12) return undefined;
  const [answers, authorities, additionals] = reply.sections as [RecordRead[], RecordRead[], RecordRead[]];
  const question = octets.subarray(reply.questionEnd - 4);
  const [asked, classAsked] = [question[0]! * 256 + question[1]!, question[2]! * 256 + question[3]!];
  const nameAt = (at: number): string | undefined => textOf(expectedName(octets, at));
  const ownerOf = (record: RecordRead): string => textOf(record.owner)!;

  const links = answers.filter(({ type }) => type === 5);
  if (links.length > MOST_LINKS) return undefined;
  const chain = new Set([nameAt(12)!]);
  for (let size = 0; size !== chain.size; ) {
    size = chain.size;
    for (const link of links) {
      const target = nameAt(link.dataAt);
      if (chain.has(ownerOf(link)) && target !== undefined) chain.add(target);
    }
  }
  const encloses = (zone: string): boolean =>
    [...chain].some((name) => name === zone || name.endsWith(`/${zone}`) || zone === '');

  const mentioned = new Set<string>();
  const judge = (record: RecordRead, belongs: boolean): boolean => {
    const isKept = belongs && (classAsked === 255 || record.class === classAsked);
    const target = isKept ? targetOf(record, nameAt) : undefined;
    if (target !== undefined) mentioned.add(target);
    return isKept;
  };
  return [
    answers.map((record) => {
      const owner = ownerOf(record);
      const isAbove = [24, 39, 46].includes(record.type) && encloses(owner);
      const isFit = asked === 255 || [asked, 5, 24, 39, 46].includes(record.type);
      return judge(record, isFit && (chain.has(owner) || isAbove));
    }),
    authorities.map((record) => {
      const isProof = [46, 47, 50].includes(record.type);
      const isOfZone = [2, 6, 43].includes(record.type) && encloses(ownerOf(record));
      return judge(record, isProof ? dnssecOk : isOfZone);
    }),
    judgeAdditionals(additionals, (record) =>
      judge(record, chain.has(ownerOf(record)) || mentioned.has(ownerOf(record))),
    ),
  ];
}

/** What a record mentions may stand before it. */
function judgeAdditionals(records: RecordRead[], judge: (record: RecordRead) => boolean): boolean[] {
  const kept = records.map(() => false);
  for (let pass = 0, isNew = true; pass < MOST_PASSES && isNew; pass++) {
    isNew = false;
    for (const [i, record] of records.entries()) {
      if (kept[i] || !judge(record)) continue;
      kept[i] = isNew = true;
    }
  }
  return kept;
}

function targetOf({ type, dataAt, data }: RecordRead, nameAt: (at: number) => string | undefined): string | undefined {
  let at = OCTETS_BEFORE[type] ?? -1;
  if (type === NAPTR) {
    at = 4;
    for (let i = 0; i < 3; i++) at += 1 + (data[at] ?? data.length);
  }
  return at < 0 || at >= data.length ? undefined : nameAt(dataAt + at);
}

/** Labels, each with a slash before it, the last with nothing behind it; lower case. */
function textOf(name: readonly number[] | undefined): string | undefined {
  if (name === undefined) return undefined;
  const labels: string[] = [];
  for (let at = 0; name[at]! > 0; at += 1 + name[at]!) {
    labels.push(Buffer.from(name.slice(at + 1, at + 1 + name[at]!)).toString('hex'));
  }
  return labels.map((label) => label.replace(/(..)/g, (octet) => foldHex(octet))).join('/');
}

function foldHex(octet: string): string {
  const code = Number.parseInt(octet, 16);
  return (code >= 0x41 && code <= 0x5a ? code | 0x20 : code).toString(16).padStart(2, '0');
}
