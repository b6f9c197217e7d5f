/** Prints what 5,000 nodes with either agent would come to: `npm run simulate`. Arithmetic and chance; assumptions.ts says what it rests on. */
import { AGENTS } from './agents.ts';
import { FLEET } from './assumptions.ts';
import { changesPerSecond, fleetOf } from './fleet.ts';

const columns = AGENTS.map(fleetOf);
const { nodes, pods, zones, services } = FLEET;
console.log(
  `${nodes} nodes in ${zones} zones, ${pods} pods, ${services} Services, ${changesPerSecond().toFixed(1)} changes of them a second\n`,
);
console.log(`| | ${AGENTS.map(({ name }) => name).join(' | ')} |`);
console.log(`|---|${AGENTS.map(() => '---:').join('|')}|`);
for (const [index, { what, unit }] of columns[0]!.entries()) {
  const values = columns.map((column) => column[index]!.value.toLocaleString('en', { maximumSignificantDigits: 3 }));
  console.log(`| ${what}${unit && ` (${unit})`} | ${values.join(' | ')} |`);
}
