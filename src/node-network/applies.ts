/** Whether a rule matches a packet: `some` where that depends on what is not known, such as the client. */
export type Applies = 'yes' | 'no' | 'some';

/** Both, as one condition. */
export function both(first: Applies, second: Applies): Applies {
  if (first === 'no' || second === 'no') return 'no';
  return first === 'yes' && second === 'yes' ? 'yes' : 'some';
}

export function not(applies: Applies): Applies {
  if (applies === 'some') return 'some';
  return applies === 'yes' ? 'no' : 'yes';
}

export function yesIf(condition: boolean): Applies {
  return condition ? 'yes' : 'no';
}
