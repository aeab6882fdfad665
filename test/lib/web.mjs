// web.mjs — clients that keep their tokens in cookies: a browser with a jar, and a server whose every request is
// turned into a browser's, so that tests of bearer clients can be run with cookies too.
import assert from 'node:assert/strict';
import { claimsOf, Server } from './server.mjs';

/* [{ name, value, attributes: { path: '/', httponly: true, … } }] of an answer, in order. */
export function setCookies(r) {
  return (r.headers['set-cookie'] ?? []).map((line) => {
    const [pair, ...rest] = line.split('; ');
    const attributes = Object.fromEntries(rest.map((a) => (a.includes('=') ? [a.slice(0, a.indexOf('=')).toLowerCase(), a.slice(a.indexOf('=') + 1)] : [a.toLowerCase(), true])));
    return { name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), attributes, line };
  });
}

const base = (name) => name.replace(/^__(Host|Secure)-/, '');

/* What a browser keeps and sends. Paths and prefixes count; domains and time do not. */
export class Browser {
  constructor(server, { origin = 'https://auth.example.test', site = 'same-origin', prefix = '__Host-' } = {}) {
    Object.assign(this, { server, origin, site, prefix, jar: new Map() });
  }

  get(name) {
    return this.jar.get(this.prefix + name)?.value;
  }

  cookieHeader(path) {
    return [...this.jar.entries()].filter(([, c]) => path.toLowerCase().startsWith(c.path)).map(([name, c]) => `${name}=${c.value}`).join('; ');
  }

  keep(r) {
    for (const c of setCookies(r)) {
      if (c.value === '') this.jar.delete(c.name);
      else this.jar.set(c.name, { value: c.value, path: c.attributes.path });
      this.server.note(base(c.name) === 'csrf-token' ? undefined : c.value);
    }
    return r;
  }

  /* csrf: another value, or false for none. */
  async request(method, path, { csrf, headers = {}, ...options } = {}) {
    const all = { 'Sec-Fetch-Site': this.site, ...(method === 'GET' ? {} : { Origin: this.origin }), ...headers };
    const cookies = this.cookieHeader(path), value = csrf ?? this.get('csrf-token');
    if (cookies !== '') all.Cookie ??= cookies;
    if (value) all['X-CSRF-Token'] ??= value;
    for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
    return this.keep(await this.server.request(method, path, { headers: all, ...options }));
  }

  post(path, json, options) {
    return this.request('POST', path, { json, ...options });
  }

  async signIn(user, options) {
    if (this.get('csrf-token') === undefined) await this.request('GET', '/auth/me');
    const r = await this.post('/auth/login', { email: user.email, password: user.password }, options);
    assert.equal(r.status, 200, r.text);
    return r;
  }

  static async signedIn(server, options) {
    const b = new Browser(server, options);
    b.user = await server.register();
    await b.signIn(b.user);
    return b;
  }
}

/* Tokens stand where they do for bearer clients; underneath they travel in cookies. */
export class WebServer extends Server {
  csrf = new Map(); // session → value

  async request(method, path, { token, strategy, json, headers = {}, ...options } = {}) {
    if (strategy !== 'bearer' && token === undefined) return super.request(method, path, { json, headers, strategy, ...options });
    const refreshToken = path === '/auth/refresh' || path === '/auth/logout' ? json?.refreshToken : undefined;
    const { refreshToken: _, ...rest } = json ?? {};
    const kept = [['accessToken', token], ['refreshToken', refreshToken]].filter(([, v]) => v !== undefined && v !== null && v !== '');
    const csrf = this.csrf.get(sidOfEither(token, refreshToken));
    this.note(token, refreshToken);
    if (csrf !== undefined) kept.push(['csrf-token', csrf]);
    const all = { ...headers };
    if (kept.length > 0) all.Cookie = kept.map(([n, v]) => `__Host-${n}=${v}`).join('; ');
    if (csrf !== undefined) all['X-CSRF-Token'] = csrf;
    const r = await super.request(method, path, { headers: all, json: json === undefined ? undefined : rest, ...options });
    return this.#asBearer(r);
  }

  #asBearer(r) {
    const got = Object.fromEntries(setCookies(r).filter((c) => c.value !== '').map((c) => [base(c.name), c.value]));
    if (got.accessToken === undefined) return r;
    this.note(got.accessToken, got.refreshToken, got.deviceToken);
    this.csrf.set(sidOfEither(got.accessToken), got['csrf-token']);
    const { accessToken, refreshToken, deviceToken } = got, told = r.json;
    for (const name of ['accessToken', 'refreshToken', 'deviceToken', 'trustToken']) assert.equal(told[name], undefined, `R12 WB02 ${name} in a body`);
    const json = { ...told, accessToken, refreshToken, ...(deviceToken === undefined ? {} : { deviceToken }) };
    Object.defineProperty(r, 'json', { value: json });
    return r;
  }
}

/* sid of an access token, or of a refresh token (version, key, sid …). */
function sidOfEither(access, refresh) {
  if (access?.split('.').length === 3) {
    try {
      return claimsOf(access).sid;
    } catch {
      return undefined;
    }
  }
  if (typeof refresh !== 'string') return undefined;
  const hex = Buffer.from(refresh, 'base64url').subarray(2, 18).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
