// http.mjs — two ways to talk to a server: a client that keeps every byte of the answer and checks what
// all answers promise, and a bare socket for requests that no client would send.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';

const PATIENCE_MS = 60_000; // only to end a test that hangs; nothing waits for it

export class Answer {
  constructor(res, body, method) {
    this.status = res.statusCode;
    this.rawHeaders = res.rawHeaders;
    this.headers = res.headers;
    this.body = body;
    this.method = method;
  }

  get text() {
    return this.body.toString('utf8');
  }

  get json() {
    return JSON.parse(this.text);
  }

  // Everything a client could tell two answers apart by, except time and request id.
  get shape() {
    const pairs = [];
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i].toLowerCase();
      const value = name === 'set-cookie' ? this.rawHeaders[i + 1].replace(/=[^;]*/, '=*').replace(/Expires=[^;]*/, 'Expires=*') : this.rawHeaders[i + 1];
      pairs.push(`${this.rawHeaders[i]}: ${['date', 'x-request-id'].includes(name) ? '*' : value}`);
    }
    return `${this.status}\n${pairs.join('\n')}\n\n${this.text}`;
  }
}

export function send(target, method, path, { headers = {}, body, agent, onRequest } = {}) {
  return new Promise((resolve, reject) => {
    const req = http.request({ ...target, method, path, headers, agent }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => resolve(new Answer(res, Buffer.concat(parts), method)));
    });
    req.setTimeout(PATIENCE_MS, () => req.destroy(new Error(`no answer to ${method} ${path}`)));
    req.on('error', reject);
    onRequest?.(req);
    req.end(body);
  });
}

/* What every answer promises, whatever it says. */
export function checkAnswer(r) {
  const at = `${r.method} -> ${r.status} ${r.text.slice(0, 200)}`;

  assert.match(r.headers['x-request-id'] ?? '', /^[0-9A-Za-z]{26}$/, `request id of ${at}`);
  assert.equal(r.headers['x-content-type-options'], 'nosniff', at);
  assert.equal(r.headers['x-powered-by'], undefined, at);
  assert.equal(r.headers['server'], undefined, at);
  assert.ok(r.headers['cache-control'], `Cache-Control of ${at}`);
  if (!r.headers['cache-control'].startsWith('public'))
    assert.equal(r.headers['cache-control'], 'no-store', at);
  if (![204, 304].includes(r.status) && r.method !== 'HEAD') {
    assert.equal(Number(r.headers['content-length']), r.body.length, at);
    assert.ok(r.body.length > 0, `body of ${at}`);
  }
  if (r.status === 503 || r.status === 429)
    assert.ok(Number(r.headers['retry-after']) >= 1, `Retry-After of ${at}`);
  if (r.status < 400 || r.method === 'HEAD') return r;
  assert.equal(r.headers['content-type'], 'application/json; charset=utf-8', at);
  assert.equal(typeof r.json.error, 'string', at);
  assert.equal(r.json.message, r.json.error, at);
  assert.match(r.json.code, /^[A-Z0-9][A-Z0-9_]+$/, at);
  if (r.json.code === 'INVALID_ACCESS_TOKEN' && r.status === 401)
    assert.equal(r.headers['www-authenticate'], 'Bearer error="invalid_token"', at);
  return r;
}

/* All answers in what a socket received: [{ status, headers, body }]. */
export function parseAnswers(bytes) {
  const answers = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [line, ...fields] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(fields.map((f) => [f.slice(0, f.indexOf(':')).toLowerCase(), f.slice(f.indexOf(':') + 1).trim()]));
    const status = Number(line.split(' ')[1]);
    const length = status >= 200 && status !== 204 ? Number(headers['content-length'] ?? 0) : 0;
    answers.push({ status, headers, body: rest.subarray(end + 4, end + 4 + length).toString('utf8') });
    rest = rest.subarray(end + 4 + length);
  }
  return answers;
}

/* Sends bytes (a string counts as latin1), or a list of them, and collects what comes back until the server closes, or
 * until `answers` whole answers are there. */
export function rawExchange({ host, port }, bytes, { answers = Infinity, patience = 20_000, halfClose = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    const parts = [];
    let reset = false;
    const done = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      const received = Buffer.concat(parts);
      resolve({ bytes: received, answers: parseAnswers(received), closed, reset });
    };
    const timer = setTimeout(() => done(false), patience);
    socket.on('data', (part) => {
      parts.push(part);
      if (parseAnswers(Buffer.concat(parts)).filter((a) => a.status >= 200).length >= answers) done(false);
    });
    socket.on('error', (e) => {
      if (e.code === 'ECONNREFUSED') reject(e);
      reset = true;
    });
    socket.on('close', () => done(true));
    socket.on('connect', () => {
      for (const part of [bytes].flat()) socket.write(part, 'latin1');
      if (halfClose) socket.end();
    });
  });
}
