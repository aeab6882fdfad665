// dart_ffi.test.mjs — clients/dart/ffi, which no tool-chain here can run: its files parse, its bindings are those of the header, in
// the eyes of a C compiler too, and the calls that it starts by name are those of the library.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { calledOn, classes, faults, parse } from '../lib/dart.mjs';
import { BUILD, ROOT, source } from '../lib/paths.mjs';

const HOME = 'clients/dart/ffi', BINDINGS = `${HOME}/lib/src/bindings.dart`, HEADER = 'clients/c/include/sallyport.h';
const bindings = source(BINDINGS), header = source(HEADER), layer = source(`${HOME}/lib/sallyport_ffi.dart`), example = source(`${HOME}/example/main.dart`);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-ffi-'));
after(() => fs.rmSync(folder, { recursive: true }));

const camel = (name) => name.replace(/_(\w)/g, (_, c) => c.toUpperCase());
const built = (file) => JSON.parse(fs.readFileSync(path.join(BUILD, 'meson-info', file), 'utf8'));
const compiler = () => built('intro-targets.json').find((t) => t.name === 'sallyport-parts').target_sources[0].compiler;

/* Runs the build's compiler on a text; what it says, and whether it was content. */
function compile(text, ...args) {
  const [program, ...first] = compiler(), file = path.join(folder, 'program.c');
  fs.writeFileSync(file, text);
  const r = spawnSync(program, [...first, '-std=gnu17', '-Wall', '-Werror', '-D_GNU_SOURCE', `-I${ROOT}/clients/c/include`, file, ...args], { encoding: 'utf8' });
  return { ok: r.status === 0, text: r.stderr ?? String(r.error) };
}

/* ---- the files ---- */

/* The grammar is older than class modifiers and does not know fields that are external; a line with one of them must be all
 * right otherwise, and the parser gets the older line that is most like it. */
const STRUCT = /^final class (\w+) extends (Struct \{|Opaque \{\})$/gm, FIELD = /^ {2}(?:@\w+\(\) )?external ([\w<>]+ \w+;)$/gm;
const older = (text) => text.replace(STRUCT, 'class $1 extends $2').replace(FIELD, '  late $1');

test('every file of the binding parses', () => {
  const files = fs.readdirSync(path.join(ROOT, HOME), { recursive: true, withFileTypes: true }).filter((e) => e.name.endsWith('.dart'));
  assert.deepEqual(files.map((e) => e.name).sort(), ['bindings.dart', 'main.dart', 'sallyport_ffi.dart']);
  assert.deepEqual(faults(parse(older(bindings))), []);
  for (const text of [layer, example]) assert.deepEqual(faults(parse(text)), []);
});

test('a file of the binding that is not Dart would be noticed', () => {
  for (const [text, from, to] of [[bindings, 'external int status;', 'external int status'], [bindings, 'final class sp_totp extends', 'final class sp_totp'], [bindings, "('sp_login');", "('sp_login';"], [layer, 'required String server,', 'required String server'], [example, '} finally {', '} finally']]) {
    assert.ok(text.includes(from), from);
    assert.notDeepEqual(faults(parse(older(text.replace(from, to)))), [], to);
  }
});

/* ---- the generator ---- */

const TOOL = path.join(ROOT, 'tools/dart-ffi.py');
const generate = (file) => spawnSync('python3', [TOOL, file], { encoding: 'utf8' });

test('the bindings are what the generator makes of the header', () => {
  const made = generate(path.join(ROOT, HEADER));
  assert.equal(made.status, 0, made.stderr);
  assert.equal(bindings, made.stdout, `python3 tools/dart-ffi.py ${HEADER} > ${BINDINGS}`);
});

const STRANGE = [
  'SP_API float sp_ratio(void);', 'SP_API sp_totp sp_by_value(sp_client *client);', 'SP_API int sp_sum(int n, ...);', 'SP_API int sp_none();', 'SP_API int sp_unnamed(int);', 'int sp_forgotten(void);', 'SP_API extern int sp_variable;',
  'typedef enum sp_kind { SP_KIND } sp_kind;', 'typedef enum sp_kind { SP_KIND = -1 } sp_kind;', 'typedef struct sp_bits { int a : 1; } sp_bits;', 'typedef struct sp_row { char a[4]; } sp_row;', 'typedef struct sp_in { sp_totp totp; } sp_in;',
  'typedef struct sp_unknown { sp_other *other; } sp_unknown;', 'typedef union sp_either { int a; } sp_either;', 'typedef unsigned sp_count;', 'struct sp_plain { int a; };', '#define SP_NAME "name"', '#define SP_SUM (1 + 2)', '#pragma pack(1)', '#if SP_VERSION_MAJOR > 0',
];
const READ = `import json, runpy, sys
tool = runpy.run_path(sys.argv[1])
def said(text):
    try:
        tool["Header"](text)
    except tool["Bad"] as e:
        return str(e)
print(json.dumps([said(text) for text in json.load(sys.stdin)]))`;

test('a declaration that the generator does not understand ends it', () => {
  const place = '/* ---- the client ---- */', texts = STRANGE.map((line) => header.replace(place, line)), number = header.slice(0, header.indexOf(place)).split('\n').length;
  const read = spawnSync('python3', ['-c', READ, TOOL], { input: JSON.stringify([header, ...texts]), encoding: 'utf8' });
  assert.equal(read.status, 0, read.stderr);
  const [good, ...said] = JSON.parse(read.stdout);
  assert.equal(good, null);
  STRANGE.forEach((line, i) => assert.match(String(said[i]), new RegExp(`^line ${number}: `), line));
  const file = path.join(folder, 'strange.h');
  fs.writeFileSync(file, texts[0]);
  const made = generate(file);
  assert.deepEqual([made.status, made.stdout], [1, '']);
  assert.match(made.stderr, new RegExp(`^dart-ffi\\.py: .*: line ${number}: a type wanted, not 'float'\n$`));
});

/* ---- what the compiler says to the Dart types ---- */

/* { constants, callbacks, structs, functions } of the bindings; a line of another form is an error. */
function declared(text) {
  const d = { constants: {}, callbacks: {}, structs: {}, functions: {} };
  const take = (re, f) => (text = text.replace(re, (...m) => (f(...m.slice(1)), '')));
  const list = (inner) => (inner === '' ? [] : inner.split(', '));
  take(/\nclass Bindings \{\n {2}Bindings\(this\.library\);\n\n {2}final DynamicLibrary library;\n/, () => {});
  take(/^ {2}late final (\w+) = library\.lookupFunction<\n +(\S+) Function\((.*)\),\n +(\S+) Function\((.*)\)>\('(\w+)'\);$/gm, (name, result, inner, dartResult, dartInner, symbol) => {
    assert.equal(symbol, name);
    d.functions[name] = { result, parameters: list(inner), dartResult, dart: list(dartInner).map((p) => p.split(' ')) };
  });
  take(/^const int (\w+) = (\d+);$/gm, (name, value) => (d.constants[name] = value));
  take(/^typedef (\w+) = (\S+) Function\((.*)\);$/gm, (name, result, inner) => (d.callbacks[name] = { result, parameters: list(inner) }));
  take(/^final class (\w+) extends Opaque \{\}$/gm, () => {});
  take(/^final class (\w+) extends Struct \{\n([^}]*)\}$/gm, (name, inner) => {
    d.structs[name] = inner.trimEnd().split('\n').map((line) => {
      const [, annotation, type, field] = line.match(/^ {2}(?:@(\w+)\(\) )?external (\S+) (\w+);$/) ?? assert.fail(line);
      assert.equal(annotation !== undefined, type === 'int', line);
      return [field, annotation ?? type];
    });
  });
  take(/^\/\/.*$/gm, () => {});
  take(/^import 'dart:ffi';$/m, () => {});
  assert.equal(text.replace(/\s/g, ''), '}');
  return d;
}

const C = { Void: 'void', Char: 'char', Int: 'int', Size: 'size_t', UnsignedInt: 'unsigned int' };
function typeInC(native) {
  const [, pointed] = native.match(/^Pointer<(.*)>$/) ?? [], [, called] = native.match(/^NativeFunction<(\w+)>$/) ?? [];
  return pointed ? `${typeInC(pointed)} *` : called ? `dart_${called}` : C[native] ?? (/^sp_\w+$/.test(native) ? native : assert.fail(native));
}

/* A program that compiles if each struct, function and number is what the Dart declarations imply. dart:ffi lays out as C does. */
function proof(d) {
  const parameters = (f) => f.parameters.map(typeInC).join(', ') || 'void', is = (what) => `_Static_assert(${what}, "");`, same = (a, b) => is(`__builtin_types_compatible_p(${a}, ${b})`);
  const lines = ['#include <stddef.h>', '#include <stdint.h>', '#define const', '#include "sallyport.h"'];
  for (const [name, f] of Object.entries({ ...d.callbacks, ...d.functions })) lines.push(`typedef ${typeInC(f.result)} dart_${name}(${parameters(f)});`);
  for (const name of Object.keys(d.callbacks).filter((n) => new RegExp(`\\(\\*${n}\\)`).test(header))) lines.push(same(name, `dart_${name} *`));
  for (const name of Object.keys(d.functions)) lines.push(same(`__typeof__(${name})`, `dart_${name}`));
  for (const [name, fields] of Object.entries(d.structs)) {
    lines.push(`struct dart_${name} { ${fields.map(([field, type]) => `${typeInC(type)} ${field};`).join(' ')} };`, is(`sizeof(${name}) == sizeof(struct dart_${name})`));
    for (const [field] of fields) lines.push(is(`offsetof(${name}, ${field}) == offsetof(struct dart_${name}, ${field})`), same(`__typeof__(((${name} *)0)->${field})`, `__typeof__(((struct dart_${name} *)0)->${field})`));
  }
  for (const [name, value] of Object.entries(d.constants)) lines.push(is(`${name} == ${value}`));
  return lines.join('\n');
}

test('structs, functions and numbers of the bindings are those of the C compiler', () => {
  const d = declared(bindings), all = compile(proof(d), '-fsyntax-only');
  assert.ok(all.ok, all.text);
  assert.deepEqual(Object.keys(d.structs).sort(), ['sp_challenge', 'sp_field', 'sp_linked_account', 'sp_options', 'sp_profile', 'sp_result', 'sp_session', 'sp_store', 'sp_totp']);
  assert.equal(Object.keys(d.functions).length, header.match(/^SP_API /gm).length);
  for (const [name, f] of Object.entries(d.functions)) {
    const dart = (type) => (type === 'Void' ? 'void' : type.startsWith('Pointer<') ? type : 'int');
    assert.deepEqual([f.dartResult, ...f.dart.map((p) => p[0])], [f.result, ...f.parameters].map(dart), name);
  }
});

test('a wrong type, order or number in the bindings would be noticed', () => {
  const change = (from, to) => (assert.ok(bindings.includes(from), from), bindings.replace(from, to));
  for (const text of [change('external Pointer<Char> code;\n  external Pointer<Char> message;', 'external Pointer<Char> message;\n  external Pointer<Char> code;'), change('@Int() external int status;', '@Size() external int status;'), change('@Int() external int status;', '@UnsignedInt() external int status;'),
    change('external Pointer<sp_totp> totp;', 'external Pointer<Char> totp;'), change('Pointer<Pointer<Char>> methods', 'Pointer<Char> methods'), change('  external Pointer<Char> merge_token;\n', ''), change('Function(Pointer<Void>, Pointer<sp_result>)', 'Function(Pointer<sp_result>, Pointer<Void>)'),
    change('Function(Pointer<sp_client>, Int)', 'Function(Pointer<sp_client>, Size)'), change('const int SP_MEMORY = 15', 'const int SP_MEMORY = 16'), change('Pointer<Char>, Int);', 'Pointer<Char>);')])
    assert.match(compile(proof(declared(text)), '-fsyntax-only').text, /static[_ ]assert(ion)? failed/);
});

/* ---- the layer above ---- */

const client = classes(parse(layer)).find((c) => c.name === 'SallyportClient');

/* { fn, call, given: names of the arguments in the call's order, wanted: the function's own } of everything that is started. */
const started = client.members.filter((m) => m.body && m.name !== '_start' && /\b_start\b/.test(m.body.text())).map((m) => {
  const [, call, list] = m.body.text().match(/^=>\s*_start\('(\w+)', \[(.*)\]\);$/s) ?? assert.fail(m.body.text());
  const given = list === '' ? [] : list.split(', ').map((a) => a.match(/^(?:'\$\{)?(\w+)(?:\.inSeconds\}'| \? '1' : '0')?$/)?.[1] ?? assert.fail(a));
  return { fn: m.name, call, given, wanted: [...m.signature.text().matchAll(/\b(?:String\??|Duration|bool) (\w+)/g)].map((p) => p[1]) };
});

test('every call of the header is started, under its name and with its arguments in order', () => {
  const { functions } = declared(bindings), calls = Object.keys(functions).filter((name) => functions[name].result === 'Pointer<sp_result>');
  assert.deepEqual(started.map((s) => `sp_${s.call}`).sort(), calls.sort());
  for (const s of started) {
    const parameters = functions[`sp_${s.call}`].dart.slice(1).map((p) => p[1]).filter((name) => !['open', 'context'].includes(name)).map((name) => camel(name.replace(/_s$/, '')));
    assert.deepEqual(s.given, parameters, s.fn);
    assert.deepEqual(s.wanted, parameters, s.fn);
    assert.equal(s.fn, camel(s.call));
  }
});

const STARTER = `#include <sallyport.h>
#include <stdio.h>
#include <stdlib.h>

static void done(void *context, sp_result *result)
{
	++*(int *)context;
	sp_result_free(result);
}

int main(int argc, char **argv)
{
	sp_options options = { sizeof options, .server = "http://127.0.0.1:9" };

	for (int i = 1; i + 1 < argc; i += 2) {
		const char *none[8] = { NULL };
		size_t n = (size_t)atoi(argv[i + 1]);
		sp_client *client;
		int n_done = 0;
		sp_error exact, more, less;

		if (sp_client_new(&options, &client) != SP_OK)
			return 1;
		sp_client_cancel(client);
		exact = sp_start(client, argv[i], none, n, done, &n_done);
		more = sp_start(client, argv[i], none, n + 1, done, &n_done);
		less = n == 0 ? SP_INVALID : sp_start(client, argv[i], none, n - 1, done, &n_done);
		(void)sp_client_free(client);
		printf("%s %s %s %s %d\\n", argv[i], sp_error_name(exact), sp_error_name(more), sp_error_name(less), n_done);
	}
	return 0;
}
`;

test('sp_start knows every call that is started, with that many arguments', () => {
  const program = path.join(folder, 'starter'), sanitize = built('intro-buildoptions.json').find((o) => o.name === 'b_sanitize')?.value ?? 'none';
  const linked = compile(STARTER, ...(sanitize === 'none' ? [] : [`-fsanitize=${sanitize}`]), path.join(BUILD, 'clients/c/libsallyport.a'), '-lcurl', '-lpthread', '-ldl', '-o', program);
  assert.ok(linked.ok, linked.text);
  const run = (list) => spawnSync(program, list.flatMap((s) => [s.call, String(s.given.length)]), { encoding: 'utf8' });
  const r = run(started);
  assert.equal(r.status, 0, r.stderr);
  assert.deepEqual(r.stdout.trimEnd().split('\n'), started.map((s) => `${s.call} SP_OK SP_INVALID SP_INVALID 1`));
  assert.equal(run([{ call: 'log_in', given: ['email', 'password'] }]).stdout, 'log_in SP_INVALID SP_INVALID SP_INVALID 0\n');
});

test('every member of what comes back is copied, and every option can be given', () => {
  const { structs } = declared(bindings), readers = classes(parse(layer));
  const names = { sp_challenge: 'Challenge', sp_profile: 'Profile', sp_session: 'Session', sp_linked_account: 'LinkedAccount', sp_totp: 'TotpSetup', sp_field: 'FieldFault', sp_result: 'SallyportResult' };
  for (const [struct, name] of Object.entries(names)) {
    const text = readers.find((c) => c.name === name)?.node.text() ?? assert.fail(name), [, variable] = text.match(new RegExp(`${name}\\._\\(${struct} (\\w)\\)`)) ?? assert.fail(name);
    assert.deepEqual([...new Set([...text.matchAll(new RegExp(`\\b${variable}\\.(\\w+)`, 'g'))].map((m) => m[1]))].sort(), structs[struct].map(([field]) => field).sort(), name);
    assert.deepEqual([...text.matchAll(/^ {6,8}(?:: )?(\w+) ?=/gm)].map((m) => m[1]).slice(0, structs[struct].length - structs[struct].filter(([f]) => f.startsWith('n_') || f === 'body_length').length),
      structs[struct].map(([field]) => camel(field)).filter((f) => !/^n[A-Z]|^bodyLength$/.test(f)), name);
  }
  const open = client.members.find((m) => m.name === 'open').body.text();
  assert.deepEqual([...open.matchAll(/^ +\.\.(\w+) = /gm), ...open.matchAll(/options\.ref\.(\w+) = /g)].map((m) => m[1]).sort(), structs.sp_options.map(([field]) => field).sort());
});

test('the Dart enums have the names and numbers of the header', () => {
  const { constants } = declared(bindings);
  const values = (name) => layer.match(new RegExp(`^enum ${name} \\{([^}]*)\\}`, 'm'))[1].replace(/\/\/.*/g, '').match(/\w+/g);
  const wanted = (prefix, not) => Object.entries(constants).filter(([n]) => n.startsWith(prefix) && !not.test(n)).sort((a, b) => a[1] - b[1]).map(([n, v], i, all) => (assert.equal(Number(v) - Number(all[0][1]), i, n), camel(n.slice(prefix.length).toLowerCase())));
  assert.deepEqual(values('SallyportError'), [...wanted('SP_', /^SP_(VERSION|RECORD|STATE)_/), 'unknown']);
  assert.deepEqual(values('SessionState'), ['unknown', ...wanted('SP_STATE_', /^$/)]);
});

test('a result is freed once, by the function that is called at the end of a call; the client before its callbacks', () => {
  const uses = (re) => [...layer.matchAll(re)].length, body = (name) => client.members.find((m) => m.name === name).body.text();
  assert.equal(uses(/sp_result_free/g), 1);
  assert.match(body('_done'), /try \{\s*copy = [^}]*\} finally \{\s*_c\.sp_result_free\(result\);\s*\}/);
  assert.equal(uses(/sp_client_free/g), 1);
  assert.match(body('_close'), /sp_client_cancel\(_client\);\s*await Future\.wait[^;]*;\s*_c\.sp_client_free\(_client\);\s*_release\(\);\s*\}$/);
  assert.equal(uses(/\b_release\(\);/g), 2, 'also when there is no client');
});

test('what the example calls is there', () => {
  const called = calledOn(parse(example), /^client$/);
  assert.ok(called.length >= 10, `${called.length}`);
  for (const { member, line } of called) assert.ok(client.members.some((m) => m.name === member), `line ${line}: ${member}`);
});
