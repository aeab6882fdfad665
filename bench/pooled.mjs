// For bench/oauth.sh: node bench/pooled.mjs DIR MODE
// Of the latencies in DIR/MODE.STATE.HALF.TURN prints: p99 of all that is hung and of all that is calm, in ms; the
// interval that holds 95 of 100 ratios of two sets of calm turns drawn with replacement; the ratio of the second calm
// half of every block to the first; what 97.5 of 100 ratios stay below when all turns are dealt to the two states by
// lot (a ratio that comes of one bad turn does too, one that comes of the state does not); samples of a state.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const [dir, mode] = process.argv.slice(2);
const files = readdirSync(dir).filter((f) => f.startsWith(`${mode}.`));
const turns = (state, half = '') => files.filter((f) => f.startsWith(`${mode}.${state}.${half}`))
  .map((f) => Float64Array.from(readFileSync(path.join(dir, f), 'utf8').trim().split('\n').map(Number)));
const pool = (list) => {
  const all = new Float64Array(list.reduce((n, t) => n + t.length, 0));
  list.reduce((at, t) => (all.set(t, at), at + t.length), 0);
  return all.sort();
};
const at = (sorted, q) => sorted[Math.floor((sorted.length - 1) * q)];
const p99 = (list) => at(pool(list), 0.99);

let seed = 1;
const random = () => { // the same drawings for the same samples
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return seed / 2147483648;
};
const calm = turns('calm'), hung = turns('hung');
const drawn = () => p99(calm.map(() => calm[Math.floor(random() * calm.length)]));
const ratios = Float64Array.from({ length: 200 }, () => drawn() / drawn()).sort();
const dealt = () => {
  const all = [...calm, ...hung].map((t) => [random(), t]).sort((x, y) => x[0] - y[0]).map((x) => x[1]);
  return p99(all.slice(calm.length)) / p99(all.slice(0, calm.length));
};
const lots = Float64Array.from({ length: 200 }, dealt).sort();
const halves = p99(turns('calm', '2.')) / p99(turns('calm', '1.'));
console.log((p99(hung) / 1000).toFixed(3), (p99(calm) / 1000).toFixed(3), at(ratios, 0.025).toFixed(2),
  at(ratios, 0.975).toFixed(2), halves.toFixed(2), at(lots, 0.975).toFixed(2),
  Math.min(pool(calm).length, pool(hung).length));
