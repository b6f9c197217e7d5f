import fc from 'fast-check';
import { type Labels, optRecord, type WrittenMessage, type WrittenRecord } from './message-writer.ts';

const letters = [...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_'];

const label = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 12 });
const suffix = fc.constantFrom<Labels>(
  [],
  ['svc', 'cluster', 'local'],
  ['Example', 'com'],
  ['default', 'svc', 'cluster', 'local'],
);

/** Few suffixes, so that compression has something to do. */
export const arbitraryName: fc.Arbitrary<Labels> = fc
  .tuple(fc.array(label, { maxLength: 3 }), suffix)
  .map(([first, rest]) => [...first, ...rest]);

const ttl = fc.oneof(fc.nat(600), fc.nat(0x7fffffff), fc.integer({ min: 0x80000000, max: 0xffffffff }));
const octets = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });
const characterString = octets(0, 20).map((text) => Uint8Array.of(text.length, ...text));

/** RDATA by type, each as the records of that type have it. */
const arbitraryData: fc.Arbitrary<Pick<WrittenRecord, 'type' | 'data'>> = fc.oneof(
  { weight: 4, arbitrary: octets(4, 4).map((address) => ({ type: 1, data: [address] })) },
  { weight: 2, arbitrary: octets(16, 16).map((address) => ({ type: 28, data: [address] })) },
  fc.tuple(fc.constantFrom(2, 5, 12, 39), arbitraryName).map(([type, name]) => ({ type, data: [name] })),
  fc.tuple(octets(2, 2), arbitraryName).map(([preference, name]) => ({ type: 15, data: [preference, name] })),
  fc.tuple(octets(6, 6), arbitraryName).map(([head, name]) => ({ type: 33, data: [head, name] })),
  fc
    .tuple(octets(4, 4), characterString, characterString, characterString, arbitraryName)
    .map(([head, flags, services, regexp, name]) => ({ type: 35, data: [head, flags, services, regexp, name] })),
  fc
    .tuple(arbitraryName, arbitraryName, octets(20, 20))
    .map(([mname, rname, numbers]) => ({ type: 6, data: [mname, rname, numbers] })),
  fc.array(characterString, { minLength: 1, maxLength: 3 }).map((strings) => ({ type: 16, data: strings })),
  fc.tuple(fc.constantFrom(99, 65, 1000, 65_280), octets(0, 40)).map(([type, data]) => ({ type, data: [data] })),
);

const record: fc.Arbitrary<WrittenRecord> = fc
  .tuple(arbitraryName, ttl, arbitraryData)
  .map(([owner, seconds, { type, data }]) => ({ owner, type, class: 1, ttl: seconds, data }));

/** An RRset of addresses. */
const addresses: fc.Arbitrary<WrittenRecord[]> = fc
  .tuple(
    arbitraryName,
    ttl,
    fc.constantFrom([1, 4] as const, [28, 16] as const),
    fc.integer({ min: 1, max: 5 }),
    fc.nat(250),
  )
  .map(([owner, seconds, [type, length], count, first]) =>
    Array.from({ length: count }, (_, i) => ({
      owner,
      type,
      class: 1,
      ttl: seconds,
      data: [new Uint8Array(length).fill(first + i)],
    })),
  );

/** An RRset of PTR records of one owner, with names of any length. */
export const arbitraryPointers: fc.Arbitrary<WrittenRecord[]> = fc
  .tuple(arbitraryName, fc.array(fc.tuple(arbitraryName, ttl), { minLength: 1, maxLength: 6 }))
  .map(([owner, targets]) =>
    targets.map(([target, seconds]) => ({ owner, type: 12, class: 1, ttl: seconds, data: [target] })),
  );

const section = (maxLength: number): fc.Arbitrary<WrittenRecord[]> =>
  fc
    .array(fc.oneof({ weight: 2, arbitrary: record.map((one) => [one]) }, addresses, arbitraryPointers), { maxLength })
    .map((parts) => parts.flat());

/** Not ECS, keepalive and key tag: dns-packet takes those apart, and throws where the octets are not as they should be. */
const optionCode = fc.nat(0xffff).filter((code) => code !== 8 && code !== 11 && code !== 14);

export const arbitraryOpt: fc.Arbitrary<WrittenRecord> = fc
  .tuple(fc.nat(0xffff), fc.nat(0xff), fc.boolean(), fc.array(fc.tuple(optionCode, octets(0, 20)), { maxLength: 3 }))
  .map(([udpSize, extendedRcode, dnssecOk, options]) =>
    optRecord(
      udpSize,
      extendedRcode * 0x1000000 + (dnssecOk ? 0x8000 : 0),
      Uint8Array.from(options.flatMap(writeOption)),
    ),
  );

function writeOption([code, data]: [number, Uint8Array]): number[] {
  return [code >>> 8, code & 0xff, data.length >>> 8, data.length & 0xff, ...data];
}

const question = fc
  .tuple(arbitraryName, fc.constantFrom(1, 28, 12, 33, 16, 65, 255, 4711), fc.constantFrom(1, 1, 1, 3, 255))
  .map(([name, type, classNumber]) => ({ name, type, class: classNumber }));

/** A reply with OPT, if any, as the last record. */
export const arbitraryReply: fc.Arbitrary<WrittenMessage> = fc
  .tuple(
    fc.nat(0xffff),
    fc.nat(0x7ff),
    question,
    section(5),
    section(3),
    section(3),
    fc.option(arbitraryOpt, { nil: undefined }),
  )
  .map(([id, flags, asked, answers, authorities, rest, opt]) => ({
    id,
    flags: flags | 0x8000,
    questions: [asked],
    answers,
    authorities,
    additionals: opt === undefined ? rest : [...rest, opt],
  }));

export const arbitraryQuery: fc.Arbitrary<WrittenMessage> = fc
  .tuple(
    fc.nat(0xffff),
    fc.constantFrom(0, 0x100, 0x110, 0x130, 0x7ff),
    question,
    fc.option(arbitraryOpt, { nil: undefined }),
  )
  .map(([id, flags, asked, opt]) => ({
    id,
    flags,
    questions: [asked],
    answers: [],
    authorities: [],
    additionals: opt === undefined ? [] : [opt],
  }));
