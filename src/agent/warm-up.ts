import type { Ask, Asker } from '../upstream/ask.ts';

/** `. IN NS`, RD: any server says something to it. */
const QUESTION = Uint8Array.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1]);
const AGAIN_MS = 1000;

/**
 * Asks the upstreams of every zone, as the zones are then, one question at start, again each second until one answers: connections are open before the
 * first pod asks, and readiness knows that there is somebody to ask. Returns what ends it.
 */
export function warmUp(forwarders: () => Iterable<Asker>): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const finish = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  const askAll = (): void => {
    for (const forwarder of forwarders()) forwarder.ask(question(finish));
    timer = setTimeout(() => !isOver && askAll(), AGAIN_MS);
    timer.unref();
  };
  askAll();
  return finish;
}

function question(onAnswer: () => void): Ask {
  return { message: QUESTION, questionEnd: QUESTION.length, end: QUESTION.length, onAnswer, onFailure() {} };
}
