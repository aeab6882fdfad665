// For bench/oauth.sh: node bench/crowd.mjs PORT PROVIDER_PORT PROVIDER
// 200 people who sign in at a provider, each begins every five seconds, whatever became of the last time; and the
// provider, which knows no code and says so within 5 ms. After SIGUSR2 it takes requests and says nothing; after the
// next one it answers those too, and so on. All that the server does itself is the same in both states.
// "calm" is written when a sign-in has its answer from the provider again. SIGTERM: for each state how many sign-ins
// began a second, and what became of them; "turned" were those for whom the server had no place at all, or no answer:
// a machine that is busy with something else.
import http from 'node:http';

const PEOPLE = 200, EVERY_MS = 5000, SLOW_MS = 4000;
const [port, providerPort, name] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: PEOPLE });
const none = () => ({ ms: 0, begun: 0, answered: 0, waited: 0, refused: 0, paused: 0, turned: 0 });
const counts = { calm: none(), hung: none(), recovery: none() };
const hanging = new Set();
let state = 'calm', since = performance.now();
const enter = (next) => {
  counts[state].ms += performance.now() - since;
  since = performance.now();
  state = next;
};

const unknown = (res) => res.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_grant"}');
http.createServer((req, res) => {
  req.resume();
  res.on('close', () => hanging.delete(res));
  if (state === 'hung') hanging.add(res);
  else setTimeout(unknown, 5, res);
}).listen(providerPort, '127.0.0.1', () => console.log('ready'));

const get = (path, headers) => new Promise((resolve, reject) => {
  http.get({ host: '127.0.0.1', port, path, agent, headers }, (res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ res, text }));
  }).on('error', reject);
});

const signIn = async () => {
  const c = counts[state];
  c.begun += 1;
  const { res } = await get(`/auth/oauth/${name}`);
  if (res.headers.location === undefined) {
    c.turned += 1;
    return;
  }
  const to = new URL(res.headers.location).searchParams.get('state');
  const Cookie = res.headers['set-cookie'][0].split(';')[0];
  const nobodyAsks = hanging.size === 0, begin = performance.now();
  const { code } = JSON.parse((await get(`/auth/oauth/${name}/callback?code=x&state=${to}`, { Cookie })).text);
  if (code === 'OAUTH_TOKEN_EXCHANGE_FAILED') {
    c.answered += 1;
    if (state !== 'recovery') return;
    enter('calm');
    console.log('calm');
  } else if (code === 'OVERLOADED' || code === 'BUSY') {
    c.turned += 1;
  } else if (code !== 'OAUTH_PROVIDER_UNAVAILABLE') {
    throw new Error(`an answer of another kind: ${code}`);
  } else if (performance.now() - begin > SLOW_MS) {
    c.waited += 1;
  } else { // its share of the threads is taken, or, if nobody asks it, the breaker is open
    c[nobodyAsks ? 'paused' : 'refused'] += 1;
  }
};

process.on('SIGUSR2', () => {
  enter(state === 'hung' ? 'recovery' : 'hung');
  if (state === 'recovery') hanging.forEach(unknown);
});
process.on('SIGTERM', () => {
  enter(state);
  for (const s of ['calm', 'hung']) {
    const c = counts[s];
    console.log(s, (c.begun * 1000 / c.ms).toFixed(1), c.answered, c.waited, c.refused, c.paused, c.turned);
  }
  process.exit();
});
const lost = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];
const begin = () => signIn().catch((e) => {
  if (!lost.includes(e.code)) throw e;
  counts[state].turned += 1;
});
const person = () => {
  begin();
  setInterval(begin, EVERY_MS);
};
for (let i = 0; i < PEOPLE; i++) setTimeout(person, i * EVERY_MS / PEOPLE);
