import type { Metric } from 'prom-client';
import Registry from 'prom-client/lib/registry.js';
import { SignpostError } from '../core/errors.ts';

export type Emit = (labels: Record<string, string>, value: number) => void;

/** Counts per bucket, not cumulative, the last one for what is above all bounds; and the sum of all values. */
export type EmitHistogram = (labels: Record<string, string>, counts: ArrayLike<number>, sum: number) => void;

interface Sample {
  readonly labels: Record<string, string | number>;
  readonly value: number;
  readonly metricName?: string;
  readonly sharedLabels?: Record<string, string>;
}

/**
 * All metrics. Nothing is counted here: rooms count in fields and typed arrays of their own, which are read when a scrape comes.
 */
export class Register {
  readonly #registry = new Registry();
  readonly contentType: string = this.#registry.contentType;

  /** A counter, whose name ends in `_total`. `read` emits one value for each set of labels. */
  counter(name: string, help: string, labels: readonly string[], read: (emit: Emit) => void): void {
    this.#add('counter', name, help, (samples) => read(plain(name, labels, samples)));
  }

  gauge(name: string, help: string, labels: readonly string[], read: (emit: Emit) => void): void {
    this.#add('gauge', name, help, (samples) => read(plain(name, labels, samples)));
  }

  /** `bounds`: the inclusive upper ends of the buckets, ascending, without infinity. */
  histogram(
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[],
    read: (emit: EmitHistogram) => void,
  ): void {
    this.#add('histogram', name, help, (samples) => read(bucketed(name, labels, bounds, samples)));
  }

  /** The metrics page, in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #add(type: string, name: string, help: string, read: (samples: Sample[]) => void): void {
    const metric = {
      name,
      get: () => {
        const values: Sample[] = [];
        read(values);
        return { name, help, type, values };
      },
    };
    // All that the registry asks of a metric is its name and `get`; its types name the package's own classes only, which count by themselves.
    this.#registry.registerMetric(metric as unknown as Metric);
  }
}

function plain(name: string, labelNames: readonly string[], samples: Sample[]): Emit {
  return (labels, value) => {
    expectLabels(name, labelNames, labels);
    samples.push({ labels, value });
  };
}

function bucketed(
  name: string,
  labelNames: readonly string[],
  bounds: readonly number[],
  samples: Sample[],
): EmitHistogram {
  return (labels, counts, sum) => {
    expectLabels(name, labelNames, labels);
    let total = 0;
    for (let i = 0; i <= bounds.length; i++) {
      total += counts[i]!;
      const le = i < bounds.length ? `${bounds[i]}` : '+Inf';
      samples.push({ metricName: `${name}_bucket`, labels: { le }, sharedLabels: labels, value: total });
    }
    samples.push({ metricName: `${name}_sum`, labels: {}, sharedLabels: labels, value: sum });
    samples.push({ metricName: `${name}_count`, labels: {}, sharedLabels: labels, value: total });
  };
}

/** One metric with differing sets of labels breaks every sum over it, so it is our error, told at the first scrape. */
function expectLabels(metric: string, expected: readonly string[], labels: Record<string, string>): void {
  const names = Object.keys(labels);
  if (names.length === expected.length && expected.every((name) => labels[name] !== undefined)) return;
  throw new SignpostError('ERR_METRIC_LABELS', `Cannot emit ${metric}: expected labels ${expected}, got ${names}`);
}
