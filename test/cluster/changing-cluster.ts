import type { NameAndType } from '../servers/zones/questions.ts';
import type { KubernetesApi, KubernetesObject } from './api.ts';
import { questionsOf } from './conformance.ts';
import { type Requirement, requirementsOf } from './specification.ts';

/** A change of the cluster: objects as they are from now on, and what is deleted. */
export interface Change {
  readonly put?: readonly KubernetesObject[];
  readonly deleted?: readonly KubernetesObject[];
}

/** A cluster's objects, and with them what its DNS must say, through changes. */
export class ChangingCluster {
  readonly #api: KubernetesApi;
  readonly #objects: Map<string, KubernetesObject>;

  /** `objects`: what the API server has already. */
  constructor(api: KubernetesApi, objects: readonly KubernetesObject[]) {
    this.#api = api;
    this.#objects = new Map(objects.map((object) => [keyOf(object), object]));
  }

  get requirements(): Requirement[] {
    return requirementsOf([...this.#objects.values()]);
  }

  /** The object as it is, to be changed. */
  find(kind: string, namespace: string, name: string): KubernetesObject {
    return this.#objects.get(`${kind} ${namespace} ${name}`)!;
  }

  /** Questions whose answers `change` makes others. */
  questionsOf({ put = [], deleted = [] }: Change): NameAndType[] {
    const after = new Map(this.#objects);
    for (const object of put) after.set(keyOf(object), object);
    for (const object of deleted) after.delete(keyOf(object));
    const [old, next] = [answersBy(this.requirements), answersBy(requirementsOf([...after.values()]))];
    const all = questionsOf([...this.requirements, ...requirementsOf([...after.values()])]);
    return all.filter(([name, type]) => old.get(`${name} ${type}`) !== next.get(`${name} ${type}`));
  }

  async apply({ put = [], deleted = [] }: Change): Promise<void> {
    for (const object of put) {
      const isKnown = this.#objects.has(keyOf(object));
      const { spec, endpoints, metadata } = object;
      const patch = { spec, endpoints, metadata: { labels: metadata['labels'] } };
      await (isKnown ? this.#api.patch(object, patch) : this.#api.create(object));
      this.#objects.set(keyOf(object), object);
    }
    for (const object of deleted) {
      await this.#api.delete(object);
      this.#objects.delete(keyOf(object));
    }
  }
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace} ${metadata.name}`;
}

/** For each question its records as one text. */
function answersBy(requirements: readonly Requirement[]): Map<string, string> {
  const answers = new Map<string, string[]>();
  for (const { question, data } of requirements) {
    const key = question.join(' ');
    answers.set(key, [...(answers.get(key) ?? []), data].sort());
  }
  return new Map([...answers].map(([key, data]) => [key, data.join(' ')]));
}
