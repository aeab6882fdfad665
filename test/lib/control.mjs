// control.mjs — writes the levers of sallyport-test. Layout and error codes are read out of the C
// headers, so there is one place to change.
import fs from 'node:fs';
import { source } from './paths.mjs';

function enumOf(file, prefix) {
  const names = [...source(file).matchAll(new RegExp(`^\\t(${prefix}[A-Z0-9_]+)( = ([A-Z0-9_]+))?,`, 'gm'))];
  const values = {};
  let next = 0;
  for (const [, name, , given] of names) {
    if (given !== undefined) next = given in values ? values[given] : Number(given);
    values[name] = next++;
  }
  return values;
}

export const LEVER = enumOf('test/lib/control.h', 'CONTROL_');
export const ERR = enumOf('src/base/err.h', 'ERR_');

export class Control {
  constructor(file) {
    this.fd = fs.openSync(file, 'w+', 0o600);
    this.set('RNG_LEFT', -1);
  }

  set(name, value) {
    const b = Buffer.alloc(8);
    b.writeBigInt64LE(BigInt(Math.trunc(value)));
    fs.writeSync(this.fd, b, 0, 8, LEVER[`CONTROL_${name}`] * 8);
  }

  get(name) {
    const b = Buffer.alloc(8);
    fs.readSync(this.fd, b, 0, 8, LEVER[`CONTROL_${name}`] * 8);
    return Number(b.readBigInt64LE());
  }

  // Everything but the clock back to harmless.
  calm() {
    for (const name of ['STORE_FAIL_AT', 'STORE_STALL_MS', 'HOLD_AT', 'HELD', 'HEAP_FAIL_AT']) this.set(name, 0);
    this.set('RNG_LEFT', -1);
  }

  close() {
    fs.closeSync(this.fd);
  }
}
