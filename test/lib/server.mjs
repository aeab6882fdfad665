// server.mjs — a server of one's own per test file: fresh data directory, free port, settings from the
// environment, log collected, clock in hand. Whatever passes through `request` is also checked
// against what every answer promises, and no secret that passed may stand in the log (LG01).
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Control } from './control.mjs';
import { checkAnswer, rawExchange, send } from './http.mjs';
import { BUILD, SALLYPORT, SALLYPORT_TEST } from './paths.mjs';

export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const REPORTS = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|DEADLYSIGNAL/;
const START_MS = 60_000, STOP_MS = 60_000;

/* Waits until check() is truthy; patience only ends a hopeless wait. */
export async function until(check, what, patience = 30_000) {
  const end = Date.now() + patience;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await sleep(5);
  }
}

export const freshEmail = (name = 'u') => `${name}-${crypto.randomBytes(6).toString('hex')}@example.test`;
export const freshPassword = () => `pw ${crypto.randomBytes(9).toString('base64url')}`;

/* One program run to its end. */
export function run(program, args, { env = {}, input = '', patience = 60_000 } = {}) {
  return new Promise((resolve) => {
    const child = execFile(program, args, { env: programEnv(env), timeout: patience, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? `signal ${error.signal}`, stdout, stderr });
    });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
  });
}

function programEnv(env) {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('SALLYPORT_')));
  return { ...clean, ...env };
}

const DEFAULTS = {
  SALLYPORT_SERVER_PUBLIC_URL: 'https://auth.example.test',
  SALLYPORT_SERVER_OPS_LISTEN: 'same',
  SALLYPORT_SERVER_MAX_CONNECTIONS_PER_IP: '4096',
  SALLYPORT_LIMITS_REGISTER_PER_HOUR: '1000000',
  SALLYPORT_LIMITS_NETWORK_FREE: '1000000',
  SALLYPORT_LIMITS_SIGN_INS_PER_HOUR: '1000000',
  SALLYPORT_PASSWORD_MAX_WAIT: '60s', // a busy machine turns nobody away; tests of overload say otherwise
};

export class Server {
  /* env: settings on top of DEFAULTS, and TEST_HASH: 'real' where it matters what a hash is or costs
   * (cheap_hash.h); real: the installed program instead of sallyport-test;
   * clock: 'frozen' (moves only by advance) or 'real'. */
  static async start({ env = {}, real = false, clock = 'frozen', args = [], dataDir } = {}) {
    const s = new Server();
    s.home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-test-'));
    s.dataDir = dataDir ?? path.join(s.home, 'data');
    s.real = real;
    s.args = args;
    s.env = { ...DEFAULTS, ...env };
    s.secrets = new Set();
    s.stderr = '';
    if (!real) {
      s.control = new Control(path.join(s.home, 'control'));
      if (clock === 'frozen') s.control.set('CLOCK_FROZEN_MS', Math.floor(Date.now() / 1000) * 1000);
    }
    await s.launch();
    return s;
  }

  async launch() {
    const program = this.real ? SALLYPORT : SALLYPORT_TEST;
    assert.ok(fs.existsSync(program), `${program} is not there: build first, or set BUILD_DIR`);
    this.agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });
    this.lines = [];
    this.child = spawn(program, ['serve', '--data', this.dataDir, '--listen', '127.0.0.1:0', ...this.args], {
      env: programEnv({ ...this.env, TEST_CONTROL: path.join(this.home, 'control') }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      this.exit = { code, signal };
      return this.exit;
    });
    this.exit = null;
    this.stdout = '';
    this.child.stdout.on('data', (part) => (this.stdout += part));
    let tail = '';
    this.child.stderr.setEncoding('utf8').on('data', (part) => {
      this.stderr += part;
      const lines = (tail + part).split('\n');
      tail = lines.pop();
      for (const line of lines) this.takeLine(line);
    });
    const ready = await until(() => this.events('ready')[0] ?? this.exit, 'the server to start', START_MS).catch((e) => {
      this.child.kill('SIGKILL');
      throw e;
    });
    assert.equal(ready.event, 'ready', `the server ended with ${JSON.stringify(this.exit)}:\n${this.stderr.slice(-8000)}`);
    const at = ready.listen.lastIndexOf(':');
    this.target = { host: ready.listen.slice(0, at), port: Number(ready.listen.slice(at + 1)) };
  }

  takeLine(text) {
    let line = { text };
    try {
      line = { ...JSON.parse(text), text };
    } catch {
      line.notJson = true;
    }
    this.lines.push(line);
  }

  /* ---- life ---- */

  async stop() {
    if (this.exit === null) this.child.kill('SIGTERM');
    const ended = await Promise.race([this.exited, sleep(STOP_MS, null, { ref: false })]);
    if (ended === null) {
      this.child.kill('SIGKILL');
      await this.exited;
    }
    this.agent.destroy();
    this.checkLog();
    assert.deepEqual(ended, { code: 0, signal: null }, `how the server ended:\n${this.stderr.slice(-4000)}`);
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.exited;
    this.agent.destroy();
    this.checkLog();
  }

  async restart() {
    if (this.exit === null) await this.stop();
    await this.launch();
  }

  /* The end of a test or a file, however far it came. */
  async close() {
    this.control?.calm();
    try {
      if (this.exit === null) await this.stop();
    } finally {
      this.control?.close();
      fs.rmSync(this.home, { recursive: true, force: true });
    }
  }

  checkLog() {
    const report = this.stderr.match(REPORTS);
    if (report !== null) assert.fail(this.stderr.slice(Math.max(0, report.index - 200), report.index + 8000));
    for (const secret of this.secrets)
      assert.ok(!this.stderr.includes(secret) && !this.stdout.includes(secret), 'LG01: a secret stands in the log');
  }

  events(name) {
    return this.lines.filter((l) => l.event === name);
  }

  /* The access-log line of an answer. */
  logged(answer) {
    const id = answer.headers['x-request-id'];
    return until(() => this.events('request').find((l) => l.request_id === id), `the log line of ${id}`);
  }

  /* ---- clock ---- */

  advance(ms) {
    this.control.set('CLOCK_SHIFT_MS', this.control.get('CLOCK_SHIFT_MS') + ms);
  }

  /* Time passes for both clocks; what providers publish is kept by the monotonic one. */
  pass(ms) {
    this.advance(ms);
    this.control.set('MONO_SHIFT_MS', this.control.get('MONO_SHIFT_MS') + ms);
  }

  get now() {
    const frozen = this.control.get('CLOCK_FROZEN_MS');
    return (frozen || Date.now()) + this.control.get('CLOCK_SHIFT_MS');
  }

  /* ---- requests ---- */

  /* What must not be found in the log; by its beginning, as the log cuts long texts. */
  note(...secrets) {
    for (const s of secrets) if (typeof s === 'string' && s.length >= 8) this.secrets.add(s.slice(0, 40));
  }

  /* json: body; token: bearer; strategy: X-Auth-Strategy; headers, body: as they stand. */
  async request(method, path_, { json, token, strategy, headers = {}, body, unchecked = false, onRequest, agent } = {}) {
    const all = { ...headers };
    if (json !== undefined) {
      body = JSON.stringify(json);
      all['Content-Type'] ??= 'application/json';
    }
    if (body !== undefined && !('Transfer-Encoding' in all)) all['Content-Length'] ??= Buffer.byteLength(body);
    if (token !== undefined) all.Authorization = `Bearer ${token}`;
    if (strategy !== undefined) all['X-Auth-Strategy'] = strategy;
    this.note(token, json?.password, json?.refreshToken, json?.deviceToken);
    const r = await send(this.target, method, path_, { headers: all, body, agent: agent ?? this.agent, onRequest });
    if (r.headers['content-type']?.startsWith('application/json') && r.body.length > 0)
      this.note(r.json.accessToken, r.json.refreshToken, r.json.deviceToken);
    return unchecked ? r : checkAnswer(r);
  }

  get(path_, options) {
    return this.request('GET', path_, options);
  }

  post(path_, json, options) {
    return this.request('POST', path_, { json, ...options });
  }

  raw(bytes, options) {
    return rawExchange(this.target, bytes, options);
  }

  login(email, password, { deviceToken, ...options } = {}) {
    return this.post('/auth/login', { email, password, deviceToken }, { strategy: 'bearer', ...options });
  }

  refresh(refreshToken, options) {
    return this.post('/auth/refresh', { refreshToken }, { strategy: 'bearer', ...options });
  }

  me(token, options) {
    return this.get('/auth/me', { token, ...options });
  }

  async register(over = {}) {
    const user = { email: freshEmail(), password: freshPassword(), ...over };
    const r = await this.post('/auth/register', user, { strategy: 'bearer' });
    assert.equal(r.status, 201, r.text);
    return { ...user, id: r.json.userId, deviceToken: r.json.deviceToken };
  }

  /* A new account, signed in once. */
  async signedIn(over) {
    const user = await this.register(over);
    return { ...user, ...(await this.signIn(user)) };
  }

  async signIn(user, options) {
    const r = await this.login(user.email, user.password, options);
    assert.equal(r.status, 200, r.text);
    const { accessToken, refreshToken, deviceToken } = r.json;
    return { accessToken, refreshToken, deviceToken };
  }

  async metric(name) {
    const r = await this.get('/metrics');
    const line = r.text.split('\n').find((l) => l.startsWith(`sallyport_${name} `));
    assert.ok(line, `metric ${name}`);
    return Number(line.split(' ')[1]);
  }

  /* ---- beside the server ---- */

  cli(args, { env = {}, ...options } = {}) {
    return run(SALLYPORT, [...args, '--data', this.dataDir], { env: { ...this.env, ...env }, ...options });
  }

  async cliOk(args, options) {
    const r = await this.cli(args, options);
    assert.equal(r.code, 0, `sallyport ${args.join(' ')}: ${r.code}\n${r.stderr}`);
    return r;
  }

  /* An administrator, signed in. */
  async admin() {
    const user = { email: freshEmail('admin'), password: freshPassword() };
    const r = await this.cliOk(['user', 'create', '--email', user.email, '--admin', '--password-stdin'], { input: `${user.password}\n` });
    this.note(user.password);
    return { ...user, id: r.stdout.trim(), ...(await this.signIn(user)) };
  }

  get database() {
    return path.join(this.dataDir, 'sallyport.db');
  }

  async sql(text) {
    const r = await run('sqlite3', ['-batch', '-bail', '-cmd', '.timeout 10000', this.database], { input: text });
    assert.equal(r.code, 0, `${text}: ${r.stderr}`);
    return r.stdout.trim();
  }
}

export const sidOf = (accessToken) => claimsOf(accessToken).sid;
export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
export const headerOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
export { BUILD, SALLYPORT, SALLYPORT_TEST };
