import type { Diagnosis } from '../diagnosis.ts';
import type { Patient } from '../patient.ts';

/** One question about a node, and its answer. Reads only, and is done within seconds. */
export interface Check {
  /** A word or two for the first column: `upstreams`. */
  readonly name: string;
  /** Nothing where the question makes no sense on this node. What it throws is told as not known. */
  look(patient: Patient): Promise<readonly Diagnosis[]>;
}
