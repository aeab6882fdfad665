// For bench/oauth.sh: node bench/pooled.mjs DIR MODE
// Of the latencies in DIR/MODE.STATE.SLICE prints: p99 of all that is hung and of all that is calm, in ms; the interval
// that holds 95 of 100 ratios of two sets of calm slices drawn with replacement; the ratio of every second calm slice to
// the others; what 97.5 of 100 ratios stay below when of each pair of slices a coin says which was hung (a ratio that
// comes of one bad moment does too, one that comes of the state does not); the ratio of the sums; samples of a state.
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const [dir, mode] = process.argv.slice(2);
const files = readdirSync(dir).filter((f) => f.startsWith(`${mode}.`));
const names = (state) => files.filter((f) => f.startsWith(`${mode}.${state}.`))
  .sort((x, y) => x.split('.').at(-1) - y.split('.').at(-1));
const slices = (state) => names(state).map((f) => Float64Array.from(readFileSync(path.join(dir, f), 'utf8').trim().split('\n').map(Number)));
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
const calm = slices('calm'), hung = slices('hung'); // the nth of both are a pair
const drawn = () => p99(calm.map(() => calm[Math.floor(random() * calm.length)]));
const ratios = Float64Array.from({ length: 200 }, () => drawn() / drawn()).sort();
const dealt = () => {
  const pairs = calm.map((c, i) => (random() < 0.5 ? [c, hung[i]] : [hung[i], c]));
  return p99(pairs.map((x) => x[0])) / p99(pairs.map((x) => x[1]));
};
const lots = Float64Array.from({ length: 200 }, dealt).sort();
const halves = p99(calm.filter((_, i) => i % 2 === 1)) / p99(calm.filter((_, i) => i % 2 === 0));
const sum = (list) => list.reduce((n, t) => n + t.reduce((m, v) => m + v, 0), 0);
console.log((p99(hung) / 1000).toFixed(3), (p99(calm) / 1000).toFixed(3), at(ratios, 0.025).toFixed(2),
  at(ratios, 0.975).toFixed(2), halves.toFixed(2), at(lots, 0.975).toFixed(2), (sum(hung) / sum(calm)).toFixed(3),
  Math.min(pool(calm).length, pool(hung).length));
