import type { NodeObject, ObjectMeta } from './api-objects.ts';

/** What the API server makes of objects for people to read, in a list or in an event of a watch. */
interface Table {
  readonly metadata: ObjectMeta;
  /** Of a watch only the first table has them. */
  readonly columnDefinitions?: readonly Column[] | null;
  readonly rows?: readonly Row[] | null;
}

interface Column {
  readonly name: string;
}

interface Row {
  readonly cells: readonly unknown[];
  /** Of a bookmark: where its annotations are. */
  readonly object?: { readonly metadata?: ObjectMeta } | null;
}

/** The addresses that the table has, by their type. It has the first of each type. */
const ADDRESSES = [
  ['InternalIP', 'Internal-IP'],
  ['ExternalIP', 'External-IP'],
] as const;

/** Reads nodes from the tables of one watch. Of a node without a status the table did not have the columns. */
export class NodeTable {
  #columns: readonly string[] = [];

  /** A table of a watch, or a column or a row of a list; undefined where it is no node. */
  read(value: unknown): NodeObject | undefined {
    if (isTable(value)) return this.#ofTable(value);
    if (isRow(value)) return this.#ofRow(value, undefined);
    const { name } = value as Column;
    // The first column of every table.
    this.#columns = name === 'Name' ? [name] : [...this.#columns, name];
    return undefined;
  }

  #ofTable({ metadata, columnDefinitions, rows }: Table): NodeObject | undefined {
    if (columnDefinitions?.length) this.#columns = columnDefinitions.map(({ name }) => name);
    const [row] = rows ?? [];
    return row === undefined ? undefined : this.#ofRow(row, metadata);
  }

  #ofRow({ cells, object }: Row, table: ObjectMeta | undefined): NodeObject {
    const cell = (column: string): string => String(cells[this.#columns.indexOf(column)] ?? '');
    const metadata = { resourceVersion: '', ...table, ...object?.metadata, name: cell('Name') };
    if (!this.#columns.includes('Internal-IP')) return { metadata };
    return { metadata, status: { addresses: ADDRESSES.map(([type, column]) => ({ type, address: cell(column) })) } };
  }
}

function isTable(value: unknown): value is Table {
  return (value as Partial<Table>).rows !== undefined;
}

function isRow(value: unknown): value is Row {
  return (value as Partial<Row>).cells !== undefined;
}
