// dart.mjs — reads Dart: whether it parses, which requests an AuthService makes, which members of answers it reads. What is
// written in a manner that this does not understand throws; nothing is passed over.
import lang from '@ast-grep/lang-dart';
import napi from '@ast-grep/napi';
import assert from 'node:assert/strict';

napi.registerDynamicLanguage({ dart: lang });
export const parse = (text) => napi.parse('dart', text).root();

export function* nodes(node) {
  yield node;
  for (const child of node.children()) yield* nodes(child);
}

const at = (n) => `line ${n.range().start.line + 1}: ${n.text().slice(0, 80)}`;
const unreadable = (n, what) => assert.fail(`${what}, ${at(n)}`);
const kids = (n, kind) => n.children().filter((c) => c.kind() === kind);
const all = (n, kind) => [...nodes(n)].filter((c) => c.kind() === kind);

/* What the parser could not make sense of, or had to put in: a token without text. */
export const faults = (root) => [...nodes(root)].filter((n) => n.kind() === 'ERROR' || (n.isLeaf() && n.text() === '' && n.kind() !== 'program')).map((n) => `${n.kind()} at ${at(n)}`);

/* { name, base, members: [{ name, returns, signature, body }] } of every class. */
export function classes(root) {
  return all(root, 'class_definition').map((c) => {
    const members = [];
    let signature = null;
    for (const part of kids(c, 'class_body')[0].children()) {
      if (part.kind() === 'method_signature') signature = part;
      if (part.kind() === 'function_body') members.push({ ...named(signature), signature, body: part });
      if (part.kind() === 'declaration') members.push({ ...named(part), signature: part, body: null });
    }
    const base = kids(c, 'superclass')[0]?.text().match(/^extends (\w+)/)?.[1] ?? null;
    return { name: kids(c, 'identifier')[0].text(), base, members, node: c };
  });
}

function named(signature) {
  const text = signature.text();
  const m = text.match(/^(?:static )?(?:final |const )?([\w<>?,. ]+?)\s+(?:get )?(\w+)\s*(?:\(|$|=)/) ?? text.match(/^()(?:const |factory )*(\w+(?:\.\w+)?)/);
  return { returns: m?.[1] ?? '', name: m?.[2] ?? '' };
}

/* A string, in one piece or several: its text, with {name} for what is put in. */
function literal(node) {
  if (node.kind() !== 'string_literal') unreadable(node, 'no plain string');
  const text = node.text(), pieces = [...text.matchAll(/'((?:[^'\\\n])*)'/g)];
  if (text.replace(/'((?:[^'\\\n])*)'/g, '').trim() !== '') unreadable(node, 'no plain string');
  const joined = pieces.map((p) => p[1]).join('').replace(/\$\{Uri\.encode(?:Query)?Component\((\w+)\)\}/g, '{$1}');
  if (joined.includes('$')) unreadable(node, 'something put into a string unencoded');
  return joined;
}

/* The identifiers of that name which are called: [{ node, args, named }]; other uses throw. */
function calls(body, name) {
  return all(body, 'identifier').filter((n) => n.text() === name).filter((n) => n.parent().kind() !== 'unconditional_assignable_selector').map((node) => {
    const part = node.next()?.kind() === 'selector' ? kids(node.next(), 'argument_part')[0] : undefined;
    if (!part) unreadable(node.parent(), `${name} is used without being called`);
    const list = kids(part, 'arguments')[0];
    const args = kids(list, 'argument').map((a) => a.children());
    const byName = Object.fromEntries(kids(list, 'named_argument').map((a) => [kids(a, 'label')[0].text().replace(/:$/, ''), a.children().filter((c) => c.kind() !== 'label')]));
    return { node, args, named: byName };
  });
}

const one = (parts, from) => (parts?.length === 1 ? parts[0] : unreadable(from, 'more than one plain value'));

/* The members of a map: { key: { optional, value } }; value: what stands there as a constant. helper(name): another function. */
function mapOf(parts, from, helper) {
  if (parts.length === 1 && parts[0].kind() === 'unary_expression' && parts[0].child(0).kind() === 'await_expression') return mapOf(parts[0].child(0).namedChildren(), from, helper);
  if (parts.length === 2 && parts[0].kind() === 'identifier' && parts[1].kind() === 'selector') return helper(parts[0].text(), from);
  const map = one(parts, from), out = {};
  if (map.kind() !== 'set_or_map_literal') unreadable(map, 'no map literal');
  const pair = (p, optional) => {
    const [key, , ...value] = p.children();
    const constant = value.length === 1 && value[0].kind() === 'string_literal' && !value[0].text().includes('$') ? literal(value[0]) : value.length === 1 && value[0].text() === 'true' ? true : undefined;
    out[literal(key)] = { optional, value: constant };
  };
  for (const e of map.namedChildren()) {
    if (e.kind() === 'pair') pair(e, false);
    else if (e.kind() === 'if_element' && !e.children().some((c) => c.kind() === 'else')) kids(e, 'pair').length === 1 ? pair(kids(e, 'pair')[0], true) : unreadable(e, 'no single member');
    else if (e.kind() === 'spread_element') Object.assign(out, mapOf(e.namedChildren(), e, helper));
    else unreadable(e, 'an element of a body');
  }
  return out;
}

/* Every request of the class: { fn, method, path, auth: [kinds], body: members or null, query: members or null }. */
export function requestsOf(service) {
  const found = [];
  const helper = (name, from) => {
    const f = service.members.find((m) => m.name === name) ?? unreadable(from, `no function ${name}`);
    return mapOf(all(f.body, 'set_or_map_literal'), f.body, helper);
  };
  for (const { name: fn, body } of service.members.filter((m) => m.body)) {
    for (const c of calls(body, '_call')) {
      if (c.args.length !== 2) unreadable(c.node.parent(), '_call wants two plain arguments');
      const auth = c.named.auth?.map((n) => n.text()).join('') ?? '';
      if (!/^(\w+ ?== ?null ?\? ?)?_Auth\.\w+( ?: ?_Auth\.\w+)?$/.test(auth)) unreadable(c.node.parent(), `auth: ${auth}`);
      for (const key of Object.keys(c.named)) if (!['auth', 'body'].includes(key)) unreadable(c.node.parent(), `_call has no ${key}`);
      found.push({ fn, method: literal(one(c.args[0], c.node)), path: literal(one(c.args[1], c.node)), auth: [...auth.matchAll(/_Auth\.(\w+)/g)].map((m) => m[1]), query: null,
        body: c.named.body ? mapOf(c.named.body, c.node, helper) : null });
    }
    for (const c of calls(body, '_send')) {
      const texts = c.args.map((a) => a.map((n) => n.text()).join(''));
      if (fn === '_attempt' && /^method,path,(null|token),body$/.test(texts.join())) continue;
      if (texts.length !== 4 || texts[2] !== 'null') unreadable(c.node.parent(), '_send');
      found.push({ fn, method: literal(one(c.args[0], c.node)), path: literal(one(c.args[1], c.node)), auth: ['none'], query: null, body: mapOf(c.args[3], c.node, helper) });
    }
    for (const c of calls(body, '_address')) {
      const [path] = c.args[0];
      if (fn === '_send' && path.text() === 'path') continue;
      found.push({ fn, method: 'GET', path: literal(path), auth: ['browser'], body: null, query: mapOf(c.named.query, c.node, helper) });
    }
  }
  return found;
}

/* The headers that _send sets: { name: text }. */
export const headersOf = (service) => Object.fromEntries([...service.members.find((m) => m.name === '_send').body.text().matchAll(/request\.headers\['([\w-]+)'\] = '([^'\n]*)'/g)].map((m) => [m[1], m[2]]));

/* What is read by a constant key: [{ fn, receiver, key, needed }]; needed: cast to a type that is not null. Keys that are set,
 * not read, are left out. */
export function readsOf(service) {
  return service.members.filter((m) => m.body).flatMap(({ name: fn, body }) => all(body, 'index_selector').flatMap((n) => {
    const key = n.namedChildren();
    if (key.length !== 1 || key[0].kind() !== 'string_literal') unreadable(n, 'a key that is no constant');
    const before = body.text().slice(0, n.range().start.index - body.range().start.index), after = body.text().slice(n.range().end.index - body.range().start.index);
    if (/^ = /.test(after)) return [];
    return [{ fn, receiver: before.match(/(\w+)[?!]?$/)?.[1] ?? unreadable(n, 'who is read'), key: literal(key[0]), needed: /^ as \w+(<[^>]*>)?(?![?\w<])/.test(after) }];
  }));
}

/* Public functions and getters → the requests they lead to, through private ones too. */
export function reach(service, requests) {
  const names = new Set(service.members.filter((m) => m.body).map((m) => m.name));
  const uses = new Map([...names].map((name) => [name, service.members.filter((m) => m.name === name && m.body).flatMap((m) => all(m.body, 'identifier').map((n) => n.text())).filter((n) => n.startsWith('_') && names.has(n))]));
  const made = (name, seen = new Set()) => {
    if (seen.has(name)) return [];
    seen.add(name);
    return [...requests.filter((r) => r.fn === name), ...(uses.get(name) ?? []).flatMap((n) => made(n, seen))];
  };
  return made;
}

/* Members used on a variable or getter: [{ member, named: names of the arguments, or null if not called, line }]. */
export function calledOn(root, receiver) {
  return all(root, 'identifier').filter((n) => receiver.test(n.text()) && !['label', 'unconditional_assignable_selector', 'conditional_assignable_selector'].includes(n.parent().kind())).flatMap((n) => {
    const dot = n.next(), access = dot?.kind() === 'selector' ? dot.children().find((c) => /assignable_selector$/.test(c.kind())) : dot && /assignable_selector$/.test(dot.kind()) ? dot : undefined;
    const member = access && kids(access, 'identifier')[0];
    if (!member) return [];
    const part = dot.next()?.kind() === 'selector' ? kids(dot.next(), 'argument_part')[0] : undefined;
    const named = part ? kids(kids(part, 'arguments')[0], 'named_argument').map((a) => kids(a, 'label')[0].text().replace(/\s*:$/, '')) : null;
    return [{ member: member.text(), named, line: n.range().start.line + 1 }];
  });
}

/* The named parameters of a function: { names, required }. */
export function parametersOf(signature) {
  const names = [], required = [];
  for (const list of all(signature, 'optional_formal_parameters')) {
    let must = false;
    for (const c of list.children()) {
      if (c.kind() === 'required') must = true;
      if (c.kind() !== 'formal_parameter') continue;
      const name = kids(c, 'identifier').at(-1)?.text() ?? c.text().match(/(\w+)$/)[1];
      names.push(name);
      if (must) required.push(name);
      must = false;
    }
  }
  return { names, required };
}
