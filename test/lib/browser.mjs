// browser.mjs — as much of a browser as redirects need: cookies per host with their attributes, top-level
// navigations that follow redirects, and an end at the first address that nobody here serves (an app's).
import http from 'node:http';

export class Browser {
  /* hosts: { 'https://auth.example.test': { host, port } }: addresses that are served elsewhere. */
  constructor(hosts = {}, headers = {}) {
    this.hosts = hosts;
    this.headers = headers;
    this.jar = []; // { origin, name, value, path, sameSite }
    this.visited = [];
  }

  #target(url) {
    const known = this.hosts[url.origin];
    if (known) return known;
    if (url.hostname === '127.0.0.1') return { host: url.hostname, port: Number(url.port) };
    return null;
  }

  cookies(origin) {
    return Object.fromEntries(this.jar.filter((c) => c.origin === origin).map((c) => [c.name, c.value]));
  }

  #header(url, method, crossSite) {
    return this.jar.filter((c) => c.origin === url.origin && url.pathname.startsWith(c.path))
      .filter((c) => !crossSite || c.sameSite === 'none' || (c.sameSite === 'lax' && method === 'GET'))
      .map((c) => `${c.name}=${c.value}`).join('; ');
  }

  #keep(url, lines) {
    for (const line of lines ?? []) {
      const [pair, ...attributes] = line.split(';').map((x) => x.trim());
      const at = pair.indexOf('='), name = pair.slice(0, at);
      const of = Object.fromEntries(attributes.map((a) => [a.split('=')[0].toLowerCase(), a.slice(a.indexOf('=') + 1)]));
      if (name.startsWith('__Host-') && (of.path !== '/' || 'domain' in of || !('secure' in of))) throw new Error(`no browser takes ${line}`);
      this.jar = this.jar.filter((c) => c.origin !== url.origin || c.name !== name);
      const gone = of['max-age'] === '0' || (of.expires && new Date(of.expires) < new Date(86400_000));
      if (!gone) this.jar.push({ origin: url.origin, name, value: pair.slice(at + 1), path: of.path ?? '/', sameSite: (of.samesite ?? 'lax').toLowerCase(), line });
    }
  }

  /* One request; nothing is followed. */
  async ask(address, { method = 'GET', body, type, crossSite = false, headers = {} } = {}) {
    const url = new URL(address), target = this.#target(url);
    if (target === null) return { url: address, elsewhere: true };
    const cookie = this.#header(url, method, crossSite);
    const all = { Host: url.host, Accept: 'text/html,application/xhtml+xml', 'Sec-Fetch-Mode': 'navigate', ...this.headers, ...headers, ...(cookie ? { Cookie: cookie } : {}) };
    if (body !== undefined) Object.assign(all, { 'Content-Type': type ?? 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) });
    const answer = await new Promise((resolve, reject) => {
      const req = http.request({ ...target, method, path: url.pathname + url.search, headers: all }, (res) => {
        const parts = [];
        res.on('data', (p) => parts.push(p)).on('error', reject);
        res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, text: Buffer.concat(parts).toString() }));
      });
      req.setTimeout(30_000, () => req.destroy(new Error(`no answer from ${address}`))).on('error', reject);
      req.end(body);
    });
    this.#keep(url, answer.headers['set-cookie']);
    return { url: address, ...answer };
  }

  /* Follows redirects; returns the last answer, or { elsewhere: true, url } where nobody is. stop(url): do not go there. */
  async go(address, { stop = () => false, ...options } = {}) {
    let r = await this.ask(address, options);
    this.visited = [address];
    for (let i = 0; i < 20 && r.status >= 300 && r.status < 400; i++) {
      const next = new URL(r.headers.location, r.url).href;
      this.visited.push(next);
      if (stop(next)) return { ...r, elsewhere: true, url: next };
      r = await this.ask(next);
    }
    return r;
  }
}
