import type { Ask, Asker } from '../upstream/ask.ts';
import { ROOT_QUESTION } from '../upstream/probe.ts';

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
  const { length } = ROOT_QUESTION;
  return { message: ROOT_QUESTION, questionEnd: length, end: length, onAnswer, onFailure() {} };
}
