// rules.test.mjs — rules about the program as it is written and built, read from the sources and the file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT, SALLYPORT, source } from '../lib/paths.mjs';
import { examplePath, routes } from '../lib/routes.mjs';
import { Server, until } from '../lib/server.mjs';

const uncommented = (text) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const files = (dir, end) => fs.readdirSync(path.join(ROOT, dir), { recursive: true }).filter((f) => f.endsWith(end)).map((f) => path.join(dir, f));
const SOURCES = files('src', '.c').concat(files('src', '.h')).map((file) => [file, uncommented(source(file))]);

/* "file: word" for each place where the pattern stands. */
const places = (pattern, among = SOURCES) => among.flatMap(([file, text]) => [...text.matchAll(pattern)].map((m) => `${file}: ${m[0]}`));

test('HT14 what decides is no assert: the two there are say what a caller of ours has seen to', () => {
  assert.ok(SOURCES.length > 300, 'the sources are here');
  assert.deepEqual(places(/\bassert\(/g), ['src/crypto/mac.c: assert(', 'src/store/sqlite.c: assert(']);
  for (const [file, of] of [['src/crypto/mac.c', 'n <= (size_t)255 * MAC_BYTES'], ['src/store/sqlite.c', 'atomic_load(&s->n_handles) == 0']]) assert.ok(source(file).includes(`assert(${of})`), file);
  assert.deepEqual(places(/\bNDEBUG\b/g), []);
});

test('HT24 signals are read by one thread: there is no handler that anything could go wrong in', () => {
  assert.deepEqual(places(/\b(signal|sigaction|bsd_signal|sigset)\(/g), []);
  assert.equal(places(/\bsignalfd\(/g).length, 1);
});

test('HT24 a storm of signals while requests run loses none of them', async (t) => {
  const s = await Server.start();
  t.after(() => s.close());
  const u = await s.signedIn();
  let running = true, n = 0;
  const load = Array.from({ length: 4 }, async () => {
    for (; running; n++) assert.equal((await s.me(u.accessToken)).status, 200);
  });
  for (let i = 0; i < 20_000; i++) {
    s.child.kill(i % 2 === 0 ? 'SIGHUP' : 'SIGPIPE');
    if (i % 500 === 0) await new Promise(setImmediate);
  }
  const reloads = s.events('reloaded').length;
  s.child.kill('SIGHUP');
  await until(() => s.events('reloaded').length > reloads, 'the last one to be heard');
  running = false;
  await Promise.all(load);
  assert.ok(n > 0);
});

test('DB03 what people search for is no pattern', async (t) => {
  const queries = files('sql', '.sql').map((file) => [file, source(file).replace(/--.*$/gm, '')]);
  assert.ok(queries.length > 10);
  assert.deepEqual(places(/\b(GLOB|REGEXP|MATCH)\b/gi, queries), []);
  for (const found of places(/\bLIKE\s+\S+/gi, queries)) assert.match(found, /LIKE '/, 'only patterns that stand in the query');
  const s = await Server.start();
  t.after(() => s.close());
  const u = await s.register({ firstName: 'Per%cent', lastName: 'Under_score' });
  const found = async (text) => (await s.cliOk(['user', 'list', '--search', text, '--json'])).stdout.includes(u.email);
  for (const [text, hit] of [['r%c', true], ['r_s', true], ['P%t', false], ['Und_r', false], ['%', true], ['*', false], ['[a-z]', false], ["' OR 1=1 --", false]]) assert.equal(await found(text), hit, text);
});

test('SC03 random bytes come from the kernel, in one place, and from nothing that can be foreseen', () => {
  assert.deepEqual(places(/\bgetrandom\(/g), ['src/base/rng.c: getrandom(']);
  assert.deepEqual(places(/\b(s?rand(om)?(_r)?|[dlm]rand48|arc4random\w*|RAND_(bytes|seed|add)\w*|randombytes\w*)\(/g), []);
  const poisoned = source('src/base/banned.h');
  for (const name of ['rand', 'srand']) assert.match(poisoned, new RegExp(`poison[^\\n]*\\b${name}\\b`));
});

/* Constants that only somebody who writes the primitive himself has a use for. */
test('SC04 no primitive of cryptography is our own', () => {
  const primitives = /0x(6a09e667|428a2f98|67452301|efcdab89|5a827999|61707865|3320646e|243f6a88|9e3779b9|c6ef3720|36363636|5c5c5c5c)|\b(sbox|s_box|salsa|keccak|mont_mul|modexp)\b/gi;
  assert.deepEqual(places(primitives), []);
  const needed = spawnSync('readelf', ['-d', SALLYPORT], { encoding: 'utf8' }).stdout;
  for (const library of ['libcrypto.so.3', 'libsodium.so']) assert.ok(needed.includes(library), library);
});

test('SC06 nothing switches the checks of outgoing TLS off', () => {
  assert.deepEqual(places(/CURLOPT_(SSL_VERIFYPEER|SSL_VERIFYHOST),\s*0/g), []);
});

/* Of the file as it is, whichever compiler and flags made it; a sanitizer's run-time brings its own symbols. */
test('HT22 the program is hardened, and what has a better way is not in it', () => {
  const elf = (...args) => spawnSync('readelf', [...args, '--wide', SALLYPORT], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
  const header = elf('-h'), segments = elf('-l'), dynamic = elf('-d'), symbols = elf('--dyn-syms');
  assert.match(header, /Type:\s+DYN/, 'position independent');
  assert.match(dynamic, /FLAGS_1.*\bPIE\b/);
  assert.match(dynamic, /\bBIND_NOW\b|FLAGS_1.*\bNOW\b/);
  assert.match(segments, /GNU_RELRO/);
  assert.match(segments, /GNU_STACK\s+(0x\w+\s+){5}RW\s/, 'no code on the stack');
  assert.doesNotMatch(segments, /LOAD\s+(0x\w+\s+){5}RWE/);
  assert.doesNotMatch(dynamic, /\b(RPATH|RUNPATH|TEXTREL)\b/);
  assert.match(symbols, /UND __stack_chk_fail/);
  const flags = source('meson.build');
  for (const flag of ['-Wconversion', '-Wvla', '-Wformat=2', '-fstack-protector-strong', '-fstack-clash-protection', '-fcf-protection=full', '-ftrivial-auto-var-init=zero', '-D_FORTIFY_SOURCE=3', "'werror=true'"]) assert.ok(flags.includes(flag), flag);
  if (/__asan_init|__tsan_init|__ubsan/.test(symbols)) return;
  const called = new Set([...symbols.matchAll(/UND (\w+)/g)].map((m) => m[1]));
  assert.ok([...called].some((name) => /^__\w+_chk$/.test(name)), 'fortified calls');
  for (const name of ['gets', 'strcpy', 'strcat', 'sprintf', 'vsprintf', 'strtok', 'atoi', 'alloca', 'system', 'popen', 'rand', 'random', 'tmpnam', 'mktemp']) assert.ok(!called.has(name), name);
});

test('HT23 nothing of the program starts another', () => {
  assert.deepEqual(places(/\b(fork|vfork|execl[pe]?|execvp?e?|fexecve|posix_spawnp?|system|popen)\(/g), []);
});

/* What no answer may tell: queries, places in the code or on the disk, versions, addresses of memory. */
const INSIDE = /sqlite|\bSELECT\b|\bINSERT\b|\bWHERE\b|\.[ch]:\d|\/(home|work|src|tmp|var|usr)\/|microhttpd|GnuTLS|OpenSSL|0x[0-9a-f]{6,}|stack|\bERR_|jansson/i;

test('HT21 whatever is sent, a refusal is { error, message, code } and tells nothing of the inside', async (t) => {
  const s = await Server.start({ env: { SALLYPORT_LIMITS_BAD_TOKENS: '1000000' } });
  t.after(() => s.close());
  const u = await s.signedIn();
  let seed = 11, refused = 0;
  const random = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % n;
  const odd = ["' OR 1=1 --", '{{7*7}}', '%s%n', '../../etc/passwd', '\\u0000', '\\ud800', '𝔘'.repeat(50), 'x'.repeat(3000), '<script>', '-1', '1e999', 'null', '[]', '{"a":', ''];
  const value = () => [odd[random(odd.length)], random(1e9), null, true, [odd[random(odd.length)]], { a: 1 }][random(6)];
  for (let i = 0; i < 2000; i++) {
    const route = routes[random(routes.length)], text = odd[random(odd.length)];
    const names = ['email', 'password', 'token', 'code', 'refreshToken', 'tempToken', 'userId', 'mode', 'newEmail', 'phoneNumber'];
    const body = random(3) === 0 ? text : JSON.stringify(Object.fromEntries([0, 1, 2].map(() => [names[random(names.length)], value()])));
    const path = examplePath(route) + (random(4) === 0 ? `?${encodeURIComponent(text)}=${encodeURIComponent(text)}` : '');
    const r = await s.request(['GET', 'POST', 'PATCH', 'DELETE'][random(4)], path, {
      body: random(2) === 0 ? body : undefined, token: [u.accessToken, 'a.b.c', encodeURIComponent(text), undefined][random(4)], headers: { 'Content-Type': ['application/json', 'text/plain'][random(2)] }, unchecked: true,
    });
    if (r.status < 400) continue;
    refused++;
    assert.ok(r.status < 500 || r.json.code !== 'INTERNAL', `${route.method} ${path} ${body}: ${r.text}`);
    assert.deepEqual(Object.keys(r.json).filter((k) => !['fields', 'success', 'retryAfter', 'reason'].includes(k)).sort(), ['code', 'error', 'message'], r.text);
    assert.equal(r.json.error, r.json.message);
    const told = `${r.text} ${Object.entries(r.headers).filter(([k]) => k !== 'x-request-id').join(' ')}`;
    assert.doesNotMatch(told, INSIDE, `${route.method} ${path}`);
  }
  assert.ok(refused > 1000, `${refused} refusals`);
});

test('SC09 how to report a fault, and what happens then', () => {
  const page = source('SECURITY.md');
  for (const said of [/privately/, /48 hours/, /90 days/, /Supported versions/]) assert.match(page, said);
});
