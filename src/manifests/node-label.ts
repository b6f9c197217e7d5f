import { Refusal } from '../config/refusal.ts';

/** A label of nodes or pods, with its value. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

const NAME = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/;
const PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** Reads `KEY=VALUE`, such as `dns=signpost` or `example.com/dns=signpost`, as Kubernetes takes labels. Throws `Refusal`. */
export function parseLabel(text: string): Label {
  const [, prefix, name, value] = /^(?:([^/=]*)\/)?([^/=]*)=([^=]*)$/.exec(text) ?? [];
  const isGood =
    name !== undefined && NAME.test(name) && NAME.test(value!) && (prefix === undefined || PREFIX.test(prefix));
  if (!isGood) throw new Refusal('expected a label as KEY=VALUE, such as dns=signpost');
  return { key: prefix === undefined ? name : `${prefix}/${name}`, value: value! };
}
