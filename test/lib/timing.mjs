// timing.mjs — times that must not tell things apart, on a machine that has other work too. What is real shows
// every time it is measured; what the machine does now and then does not. So a difference fails a test only if
// it is there in each of several rounds.
import assert from 'node:assert/strict';

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/* measure: → { name: [ms] }; differs: (times) → the name that stands out, or undefined. */
export async function alikeInTime(t, measure, differs, rounds = 5) {
  for (let round = 1; ; round++) {
    const times = await measure();
    t.diagnostic(`medians ms ${JSON.stringify(Object.fromEntries(Object.entries(times).map(([name, list]) => [name, Number(median(list).toFixed(3))])))}`);
    const name = differs(times);
    if (name === undefined) return;
    assert.ok(round < rounds, `${name} can be told apart by time, in each of ${rounds} rounds`);
  }
}
