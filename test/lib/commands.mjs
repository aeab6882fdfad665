// commands.mjs — the tables of the command line, as `sallyport help --json` tells them.
import assert from 'node:assert/strict';
import { run, SALLYPORT } from './server.mjs';

/* "[FILE]", "on|off", "HANDLE..." of a command's words. */
export function placesOf(words) {
  return words.split(' ').filter((w) => w !== '').map((word) => ({
    word,
    optional: word.startsWith('['),
    repeats: word.replace(']', '').endsWith('...'),
    choices: /^\[?[a-z]/.test(word) ? word.replace(/[[\].]/g, '').split('|') : null,
  }));
}

/* Every command: { command, args (its name as typed), words, help, must, may, common, places, options }. */
export async function commands() {
  const r = await run(SALLYPORT, ['help', '--json']);
  assert.equal(r.code, 0, r.stderr);
  return r.stdout.trim().split('\n').map((line) => {
    const c = JSON.parse(line);
    return { ...c, args: c.command.split(' '), places: placesOf(c.words), options: [...c.must, ...c.may, ...c.common].map((o) => o.name) };
  });
}

/* Words and options that a command cannot do without, with values that mean nothing. */
export function leastOf(c) {
  return [
    ...c.args,
    ...c.places.filter((p) => !p.optional).map((p) => p.choices?.[0] ?? 'x'),
    ...c.must.flatMap((o) => [`--${o.name}`, 'x']),
  ];
}

export const isOperators = (c) => c.common.some((o) => o.name === 'data');
export const isUsers = (c) => c.common.some((o) => o.name === 'server');
