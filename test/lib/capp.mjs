// capp.mjs — an app that uses libsallyport: runs sallyport-driver (clients/c/test/driver.c), one command a line.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { BUILD, until } from './server.mjs';

export const DRIVER = path.join(BUILD, 'clients', 'c', 'test', 'sallyport-driver');

/* A field of a line: null and undefined are NULL. */
const field = (arg) => (arg === null || arg === undefined ? '\\N' : String(arg).replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r'));

export class CApp {
  /* target: of a server or proxy. options: of sp_options, and `store`; passphrase: of a file; shift: seconds that the
   * app's clock is wrong by; env: more of the environment; ignoring: a signal. The app has begun, or `failed` is why not. */
  static async start(target, { passphrase = 'correct horse', shift = 0, env = {}, ignoring, ...options } = {}) {
    const app = new CApp();
    const all = { server: `http://${target.host}:${target.port}`, ...options };
    const wrapper = (process.env.DRIVER_WRAPPER ?? '').split(' ').filter((word) => word !== '');
    const command = [...wrapper, DRIVER, ...Object.entries(all).filter(([, v]) => v !== undefined).map(([k, v]) => `${k}=${v}`)];
    assert.ok(fs.existsSync(DRIVER), `${DRIVER} is not there: build first, or set BUILD_DIR`);
    if (ignoring !== undefined) command.unshift('env', `--ignore-signal=${ignoring}`);
    app.child = spawn(command[0], command.slice(1), { env: { ...process.env, SP_PASSPHRASE: passphrase, SP_CLOCK_SHIFT: String(shift), ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    app.ended = new Promise((resolve) => app.child.once('close', (code, signal) => resolve({ code, signal })));
    app.ended.then((how) => {
      app.exit = how;
      for (const one of app.waiting.values()) one.reject(new Error(`the app ended with ${JSON.stringify(how)}: ${app.stderr}`));
    });
    app.child.stdin.on('error', () => {}); // it was killed
    app.child.stderr.setEncoding('utf8').on('data', (part) => (app.stderr += part));
    readline.createInterface({ input: app.child.stdout }).on('line', (line) => app.#take(JSON.parse(line, (key, value) => (key === '' && value === 0 ? undefined : value))));
    await until(() => app.events.some((e) => ['ready', 'failed'].includes(e.event)) || app.exit, 'the app to begin');
    app.failed = app.events.find((e) => e.event === 'failed') ?? null;
    if (app.failed === null) assert.equal(app.events.shift()?.event, 'ready', app.stderr);
    return app;
  }

  events = []; // in the order of their arrival: { event: 'state', state, reason }, { event: 'open', url } …
  waiting = new Map();
  stderr = '';
  exit = null;
  last = 0;

  #take(line) {
    if (line.event !== undefined) {
      this.events.push(line);
      return;
    }
    const one = this.waiting.get(line.id);
    assert.ok(one, `an answer that nobody waits for: ${JSON.stringify(line)}`);
    delete line.id;
    one.got.push(line);
    if (one.got.length < one.n) return;
    one.resolve(one.got);
  }

  #expect(id, n) {
    const promise = new Promise((resolve, reject) => {
      this.waiting.set(id, { n, got: [], resolve, reject });
      if (this.exit !== null) reject(new Error('the app has ended'));
    });
    const over = () => this.waiting.delete(id);
    promise.then(over, over);
    return promise;
  }

  #send(...fields) {
    this.child.stdin.write(`${fields.map(field).join('\t')}\n`);
  }

  /* One call: its result. */
  async call(name, ...args) {
    const id = `${++this.last}`, promise = this.#expect(id, 1);
    this.#send(id, name, ...args);
    return (await promise)[0];
  }

  /* The same on n threads at once: n results. */
  threads(n, name, ...args) {
    const id = `${++this.last}`, promise = this.#expect(id, n);
    this.#send(id, 'threads', n, name, ...args);
    return promise;
  }

  /* sp_start: { started: name of an error, done: promise of the result }. */
  async start(name, ...args) {
    const id = `${++this.last}`, started = this.#expect(`${id}!`, 1), done = this.#expect(id, 1).then(([r]) => r);
    done.catch(() => {});
    this.#send(id, 'start', name, ...args);
    return { started: (await started)[0].value, done };
  }

  /* A call that must come to SP_OK. */
  async ok(name, ...args) {
    const r = await this.call(name, ...args);
    assert.equal(r.error, 'SP_OK', `${name}: ${JSON.stringify({ ...r, body: undefined })}`);
    return r;
  }

  /* What is_signed_in and the like give. */
  async value(name, ...args) {
    return (await this.call(name, ...args)).value;
  }

  /* The next event of the kind, taken out of the queue. */
  async event(kind) {
    await until(() => this.events.some((e) => e.event === kind) || this.exit, `the event ${kind}`);
    const at = this.events.findIndex((e) => e.event === kind);
    assert.notEqual(at, -1, `the app ended before the event ${kind}: ${this.stderr}`);
    return this.events.splice(at, 1)[0];
  }

  /* States so far, and forgets them: ['SIGNED_IN', 'SIGNED_OUT LOGOUT']. An event is written before its call's result. */
  states() {
    const states = this.events.filter((e) => e.event === 'state');
    this.events = this.events.filter((e) => e.event !== 'state');
    return states.map((e) => `${e.state} ${e.reason}`.trim());
  }

  /* Ends the app, which has said nothing but what it was asked. */
  async close() {
    if (this.exit === null) this.child.stdin.end('quit\n');
    const how = await this.ended;
    assert.deepEqual([how, this.stderr], [{ code: this.failed === null ? 0 : 3, signal: null }, '']);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/* What a result says: [error, status, code]. */
export const said = (r) => [r.error, r.status, r.code];
