// abi.test.mjs — what programs are built and linked against: the names that the library has, what it needs, its header, and an
// installed copy that examples are made with.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT, source } from '../lib/paths.mjs';
import { BUILD, run, Server } from '../lib/server.mjs';

const INCLUDE = path.join(ROOT, 'clients/c/include'), SHARED = path.join(BUILD, 'clients/c/libsallyport.so'), ARCHIVE = path.join(BUILD, 'clients/c/libsallyport.a');
const sh = (program, ...args) => execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const listed = source('clients/c/sallyport.symbols').trim().split('\n');
const declared = [...source('clients/c/include/sallyport.h').matchAll(/^SP_API [\w ]+[ *](sp_\w+)\(/gm)].map(([, name]) => name).sort();
const sanitized = sh('nm', '-D', '--undefined-only', SHARED).match(/__(asan|tsan|ubsan)_/) !== null;

let home, prefix;
before(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-abi-'));
  sh('meson', 'install', '-C', BUILD, '--destdir', home, '--no-rebuild', '--quiet');
  prefix = path.join(home, sh('meson', 'introspect', BUILD, '--buildoptions').match(/"name": "prefix", "value": "([^"]+)"/)[1]);
});
after(() => fs.rmSync(home, { recursive: true }));

test('the library has the names of its list, which are those of the header, and no others', () => {
  assert.deepEqual(listed, [...listed].sort(), 'the list is in order');
  assert.deepEqual(declared, listed);
  const names = (...args) => sh('nm', ...args).split('\n').map((line) => line.split(' ')).filter((one) => one.length === 3 && /[A-Z]/.test(one[1])).map((one) => one[2]).filter((name) => !/^__(asan|odr_asan|tsan|ubsan)/.test(name)).sort();
  assert.deepEqual(names('-D', '--defined-only', SHARED), listed);
  assert.deepEqual(names('-g', '--defined-only', ARCHIVE), listed, 'nor has the archive');
});

test('the library needs libcurl and libc, and says which it is', () => {
  const dynamic = sh('readelf', '-dW', SHARED), needed = [...dynamic.matchAll(/NEEDED\)\s+Shared library: \[([^\]]+)\]/g)].map(([, name]) => name).filter((name) => !/^lib(asan|tsan|ubsan)\.so/.test(name));
  assert.deepEqual(needed.filter((name) => !/^(libc|libcurl|libpthread|libdl|ld-linux.*)\.so\.\d+$/.test(name)), []);
  assert.ok(needed.some((name) => name.startsWith('libcurl.so')));
  assert.match(dynamic, /SONAME\)\s+Library soname: \[libsallyport\.so\.0\]/);
  assert.doesNotMatch(dynamic, /TEXTREL|RPATH|RUNPATH/);
});

test('the header is C99, C11 and C++ without a warning, with gcc and clang, by itself', () => {
  const unit = (name, text) => {
    const file = path.join(home, name);
    fs.writeFileSync(file, text);
    return file;
  };
  const c = unit('unit.c', '#include <sallyport.h>\n#include <sallyport.h>\nint main(void)\n{\n\tsp_options options = { .size = sizeof options };\n\tsp_client *client;\n\n\treturn sp_client_new(&options, &client) == SP_INVALID && SP_SECOND_FACTOR == 1 ? 0 : 1;\n}\n');
  const cpp = unit('unit.cpp', '#include <sallyport.h>\nint main()\n{\n\tsp_options options = sp_options();\n\tsp_client *client = nullptr;\n\n\toptions.size = sizeof options;\n\treturn sp_client_new(&options, &client) == SP_INVALID ? 0 : 1;\n}\n');
  const strict = ['-fsyntax-only', '-Wall', '-Wextra', '-pedantic', '-pedantic-errors', '-Werror', '-Wshadow', '-Wconversion', '-Wundef', `-I${INCLUDE}`];
  for (const compiler of ['gcc', 'clang'].filter((name) => name === 'gcc' || fs.existsSync('/usr/bin/clang'))) {
    for (const std of ['c99', 'c11', 'c17']) sh(compiler, `-std=${std}`, '-Wstrict-prototypes', ...strict, c);
    for (const std of ['c++11', 'c++17', 'c++20']) sh(compiler, '-x', 'c++', `-std=${std}`, ...strict, cpp);
  }
});

test('an installed copy: pkg-config finds it, and programs are built with it, shared and static, and run', { skip: sanitized ? 'sanitizers want to be linked by the program too' : false }, async (t) => {
  const s = await Server.start();
  t.after(() => s.close());
  const dir = path.dirname(sh('find', prefix, '-name', 'libsallyport.pc').trim()), lib = path.dirname(dir);
  const config = (...args) => execFileSync('pkg-config', [...args, 'libsallyport'], { encoding: 'utf8', env: { ...process.env, PKG_CONFIG_LIBDIR: `${dir}:${sh('pkg-config', '--variable', 'pc_path', 'pkg-config').trim()}`, PKG_CONFIG_ALLOW_SYSTEM_LIBS: '1', PKG_CONFIG_ALLOW_SYSTEM_CFLAGS: '1' } }).trim();
  assert.match(config('--modversion'), /^\d+\.\d+\.\d+$/);
  const here = (flags) => flags.split(/\s+/).map((f) => f.replace(/^(-[IL])(.*)$/, (whole, kind, at) => (fs.existsSync(home + at) ? kind + home + at : whole)));
  assert.ok(here(config('--libs')).includes(`-L${lib}`), 'also where no linker looks by itself');
  fs.writeFileSync(path.join(home, 'small.c'), `#include <sallyport.h>
#include <stdio.h>
int json_read(void) { return 7; } /* a program's own name, as inside the library */
int main(int argc, char **argv)
{
	sp_options options = { .size = sizeof options };
	sp_client *client;
	sp_result *result;

	if (argc != 4)
		return 2;
	options.server = argv[1];
	if (sp_client_new(&options, &client) != SP_OK)
		return 3;
	sp_result_free(sp_login(client, argv[2], argv[3]));
	result = sp_get_profile(client);
	printf("%s %s %d\\n", sp_error_name(result->error), result->profile ? result->profile->email : "", json_read());
	sp_result_free(result);
	return sp_client_free(client) == SP_OK ? 0 : 4;
}
`);
  /* What the archive needs besides; libcurl itself as Debian has it, shared. */
  const words = (text) => text.trim().split(/\s+/), privately = [...words(fs.readFileSync(path.join(dir, 'libsallyport.pc'), 'utf8').match(/^Libs\.private: (.*)$/m)[1]), ...words(sh('pkg-config', '--libs', 'libcurl'))];
  assert.match(fs.readFileSync(path.join(dir, 'libsallyport.pc'), 'utf8'), /^Requires\.private: libcurl$/m);
  const user = await s.register(), said = `SP_OK ${user.email} 7\n`;
  for (const kind of ['shared', 'static']) {
    const out = path.join(home, `small-${kind}`), isStatic = kind === 'static';
    const libs = isStatic ? [`-L${lib}`, '-l:libsallyport.a', ...privately] : here(config('--libs'));
    sh('gcc', '-std=c99', '-Wall', '-Wextra', '-pedantic', '-Werror', path.join(home, 'small.c'), '-o', out, ...here(config('--cflags')), ...libs);
    assert.equal(/libsallyport/.test(sh('readelf', '-dW', out)), !isStatic, kind);
    const r = await run(out, [`http://127.0.0.1:${s.target.port}`, user.email, user.password], { env: { LD_LIBRARY_PATH: lib } });
    assert.deepEqual([r.code, r.stdout, r.stderr], [0, said, ''], kind);
  }
  for (const example of ['login', 'two_factor', 'oauth']) sh('gcc', '-std=c99', '-Wall', '-Wextra', '-pedantic', '-Werror', path.join(ROOT, 'clients/c/examples', `${example}.c`), '-o', path.join(home, example), ...here(config('--cflags')), ...here(config('--libs')));
});
