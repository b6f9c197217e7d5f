import type { Register } from '../metrics/register.ts';
import type { Answer, Page } from './page.ts';

/** `/metrics`, in Prometheus's text format. */
export class MetricsPage implements Page {
  readonly path = '/metrics';
  readonly method = 'GET';
  readonly #register: Register;
  /** Scrapes that come together share one page: the port is open to the network. */
  #text: Promise<string> | undefined;

  constructor(register: Register) {
    this.#register = register;
  }

  async answer(): Promise<Answer> {
    this.#text ??= this.#register.text();
    try {
      return { status: 200, contentType: this.#register.contentType, body: await this.#text };
    } finally {
      this.#text = undefined;
    }
  }
}
