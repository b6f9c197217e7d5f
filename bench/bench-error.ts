/** Why nothing could be measured, where a person can mend it: the message is enough, and no stack is shown. */
export class BenchError extends Error {}
