// proxy.mjs — an HTTP proxy on loopback between an app and a server: counts what passes, and loses, delays or replaces it.
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class Proxy {
  static async start(target) {
    const p = new Proxy();
    p.target = target;
    p.server = http.createServer((req, res) => p.#serve(req, res).catch(() => res.destroy()));
    p.server.keepAliveTimeout = 60_000;
    await p.listen();
    return p;
  }

  requests = []; // { method, path, headers, body, status }; status: of the server, or what took its place

  /* What becomes of a request (or a promise of it): undefined passes it on; { cut: true }: the server does it, its answer is lost; { cutAt }: the
   * answer is cut after so many bytes of its body; { delay }: ms before it is passed on; { hang: true }: never answered;
   * { status, headers, body }: this answer, the server hears nothing. */
  rule = () => undefined;

  async listen() {
    this.server.listen(this.port ?? 0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    this.host = '127.0.0.1';
  }

  /* Connections are refused, and those that are open end. */
  async refuse() {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  async close() {
    if (this.server.listening) await this.refuse();
    this.agent.destroy();
  }

  agent = new http.Agent({ keepAlive: true, maxSockets: Infinity });

  /* ['POST /auth/refresh 200'] of the paths that end so; all without. */
  log(end = '') {
    return this.requests.filter((r) => r.path.endsWith(end)).map((r) => `${r.method} ${r.path} ${r.status}`);
  }

  async #serve(req, res) {
    const parts = [];
    for await (const part of req) parts.push(part);
    const body = Buffer.concat(parts);
    const one = { method: req.method, path: req.url, headers: req.headers, body: body.toString(), status: 0 };
    this.requests.push(one);
    const fate = (await this.rule(one)) ?? {};
    if (fate.delay) await sleep(fate.delay);
    if (fate.hang) return;
    if (fate.status) {
      one.status = fate.status;
      res.writeHead(fate.status, fate.headers).end(fate.body);
      return;
    }
    const answer = await this.#forward(req, body);
    one.status = answer.status;
    if (fate.cut) {
      res.destroy();
      return;
    }
    res.writeHead(answer.status, answer.headers);
    if (fate.cutAt === undefined) res.end(answer.body);
    else res.write(answer.body.subarray(0, fate.cutAt), () => res.destroy());
  }

  #forward(req, body) {
    return new Promise((resolve, reject) => {
      const { host, port } = this.target;
      const up = http.request({ host, port, method: req.method, path: req.url, headers: req.headers, agent: this.agent }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part)).on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.rawHeaders, body: Buffer.concat(parts) }));
      });
      up.on('error', reject).end(body);
    });
  }
}
