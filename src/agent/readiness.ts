import type { Reason } from '../admin/ready-page.ts';

export interface ReadinessParts {
  /** An upstream has answered since the start, or the cache has something to give. */
  hasAnswers: () => boolean;
  /** What is wrong with the files of the configuration now; undefined: nothing. */
  configError?: () => string | undefined;
  /** Upstreams that lead back to this agent, each with its zone. */
  loops?: () => readonly string[];
  /** What the node's network has to say. */
  nodeNetwork?: () => readonly Reason[];
  /** What the knowledge of the cluster has to say. */
  cluster?: () => readonly Reason[];
  /** What the hand-over has to say. */
  handOver?: () => readonly Reason[];
}

/** Whether pods' queries may be sent here, and why. Once ready, silent upstreams do not end it: stale answers are better than none. */
export class Readiness {
  readonly #hasAnswers: () => boolean;
  readonly #configError: () => string | undefined;
  readonly #loops: () => readonly string[];
  readonly #nodeNetwork: () => readonly Reason[];
  readonly #cluster: () => readonly Reason[];
  readonly #handOver: () => readonly Reason[];
  #wasAnswered = false;
  #isListening = false;
  #isLeaving = false;

  constructor(parts: ReadinessParts) {
    const { hasAnswers, configError = () => undefined, loops = () => [] } = parts;
    const { nodeNetwork = () => [], cluster = () => [], handOver = () => [] } = parts;
    this.#hasAnswers = hasAnswers;
    this.#configError = configError;
    this.#loops = loops;
    this.#nodeNetwork = nodeNetwork;
    this.#cluster = cluster;
    this.#handOver = handOver;
  }

  listening(): void {
    this.#isListening = true;
  }

  /** From now on not ready, though still answering. */
  leaving(): void {
    this.#isLeaving = true;
  }

  reasons(): Reason[] {
    this.#wasAnswered ||= this.#hasAnswers();
    return [
      {
        name: 'listeners',
        ok: this.#isListening,
        message: this.#isListening ? 'all addresses are bound' : 'not all addresses are bound yet',
      },
      {
        name: 'answers',
        ok: this.#wasAnswered,
        message: this.#wasAnswered ? 'an upstream has answered' : 'no upstream has answered yet, and nothing is cached',
      },
      {
        name: 'lameduck',
        ok: !this.#isLeaving,
        message: this.#isLeaving ? 'stopping: still answering what comes' : 'not stopping',
      },
      this.#configuration(),
      this.#upstreams(),
      ...this.#nodeNetwork(),
      ...this.#cluster(),
      ...this.#handOver(),
    ];
  }

  /** Never a reason either: all that can be answered is. */
  #upstreams(): Reason {
    const loops = this.#loops();
    const message =
      loops.length === 0 ? 'none leads back to this agent' : `back to this agent leads ${loops.join(', ')}`;
    return { name: 'upstreams', ok: true, message };
  }

  /** Never a reason to send queries elsewhere: what is in force is good. */
  #configuration(): Reason {
    const error = this.#configError();
    if (error === undefined) return { name: 'configuration', ok: true, message: 'what the files say' };
    const message = `the files are bad, the last good ones stay: ${error}`;
    return { name: 'configuration', ok: true, warning: true, message };
  }
}
