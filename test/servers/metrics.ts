/** One scrape of a Prometheus endpoint. */
export class Metrics {
  readonly #samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];

  constructor(text: string) {
    this.#samples = [...text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/gm)].map(([, name, labels, value]) => ({
      name: name!,
      labels: Object.fromEntries(
        [...(labels ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]),
      ),
      value: Number(value),
    }));
  }

  /** The sum of all series of this name that carry these labels; throws where there is no series of the name at all. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const ofName = this.#samples.filter((sample) => sample.name === name);
    if (ofName.length === 0) throw new Error(`There is no metric ${name}`);
    return ofName
      .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((sum, sample) => sum + sample.value, 0);
  }

  /** Like `sum`, but a counter that has no series yet is 0. */
  count(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.#samples.some((sample) => sample.name === name) ? this.sum(name, labels) : 0;
  }

  names(): Set<string> {
    return new Set(this.#samples.map((sample) => sample.name));
  }
}

/** Scrapes `http://HOST:PORT/metrics`. */
export async function scrape(baseUrl: string): Promise<Metrics> {
  const response = await fetch(`${baseUrl}/metrics`);
  if (!response.ok) throw new Error(`${baseUrl}/metrics: ${response.status}`);
  return new Metrics(await response.text());
}
