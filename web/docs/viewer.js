/* viewer.js - shows openapi.json: operations by tag, with what they take and answer. Text only ever gets into the
 * page as text; nothing is loaded but the document. */

const $ = (id) => document.getElementById(id);
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const DEPTH_MAX = 6; // of schemas inside schemas

function el(name, attributes = {}, ...content) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...content);
  return e;
}

let doc;

function resolve(node) {
  let at = node;
  while (at && typeof at.$ref === 'string') at = at.$ref.split('/').slice(1).reduce((o, k) => o?.[k.replaceAll('~1', '/').replaceAll('~0', '~')], doc);
  return at ?? {};
}

/* `code`, **bold** and paragraphs, which is all the Markdown the document uses. */
function prose(text) {
  return String(text ?? '').trim().split(/\n\s*\n/).map((paragraph) => {
    const p = el('p');
    for (const piece of paragraph.split(/(`[^`]+`|\*\*[^*]+\*\*)/)) {
      if (/^`.+`$/.test(piece)) p.append(el('code', {}, piece.slice(1, -1)));
      else if (/^\*\*.+\*\*$/.test(piece)) p.append(el('strong', {}, piece.slice(2, -2)));
      else p.append(piece);
    }
    return p;
  });
}

/* ---- schemas ---- */

function typeOf(schema) {
  const s = resolve(schema);
  if ('const' in s) return JSON.stringify(s.const);
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(' | ');
  const type = [s.type ?? (s.properties || s.allOf ? 'object' : 'any')].flat().join(' or ');
  return type === 'array' ? `array of ${typeOf(s.items ?? {})}` : s.format ? `${type} (${s.format})` : type;
}

/* All members of a schema and of what it is put together from: name → [schema, is it always there]. */
function membersOf(schema, into = new Map()) {
  const s = resolve(schema);
  for (const part of [...(s.allOf ?? []), ...(s.oneOf ?? []), ...(s.anyOf ?? [])]) membersOf(part, into);
  for (const [name, child] of Object.entries(s.properties ?? {})) into.set(name, [child, (s.required ?? []).includes(name)]);
  return into;
}

function members(schema, depth = 0) {
  const s = resolve(schema);
  if (s.type === 'array') return members(s.items ?? {}, depth);
  const all = membersOf(s);
  if (all.size === 0 || depth > DEPTH_MAX) return [];
  const list = el('dl');
  for (const [name, [child, required]] of all) {
    list.append(el('dt', {}, el('code', {}, name), ' ', el('span', { class: 'type' }, typeOf(child) + (required ? '' : ', optional'))));
    const dd = el('dd');
    dd.append(...prose(resolve(child).description), ...members(child, depth + 1));
    if (dd.childNodes.length > 0) list.append(dd);
  }
  return [list];
}

function example(content) {
  const value = content.example ?? Object.values(content.examples ?? {})[0]?.value;
  if (value === undefined) return [];
  return [el('pre', { tabindex: '0' }, typeof value === 'string' ? value : JSON.stringify(value, null, 2))];
}

function bodies(content) {
  return Object.entries(content ?? {}).flatMap(([type, c]) => [el('p', { class: 'type' }, type), ...members(c.schema ?? {}), ...example(c)]);
}

/* ---- operations ---- */

function parameters(op, item) {
  const all = [...(item.parameters ?? []), ...(op.parameters ?? [])].map(resolve);
  if (all.length === 0) return [];
  const list = el('dl');
  for (const p of all) {
    list.append(el('dt', {}, el('code', {}, p.name), ' ', el('span', { class: 'type' }, `${p.in}, ${typeOf(p.schema ?? {})}${p.required ? '' : ', optional'}`)));
    const text = prose(p.description ?? resolve(p.schema).description);
    if (text.length > 0) list.append(el('dd', {}, ...text));
  }
  return [el('h4', {}, 'Parameters'), list];
}

function answers(op) {
  const parts = Object.entries(op.responses ?? {}).map(([status, answer]) => {
    const a = resolve(answer);
    const inside = [...prose(a.description), ...bodies(a.content)];
    return el('details', {}, el('summary', {}, el('code', {}, status), ' ', String(a.description ?? '').split('\n')[0]), ...inside);
  });
  return [el('h4', {}, 'Answers'), ...parts];
}

function callers(op) {
  const ways = (op.security ?? doc.security ?? []).map((way) => Object.keys(way).join(' and ') || 'nobody in particular');
  return ways.length === 0 ? 'Anybody may call it.' : `Credentials: ${ways.join(', or ')}.`;
}

function operation(path, method, item) {
  const op = item[method];
  const body = resolve(op.requestBody);
  const head = el('summary', {}, el('span', { class: `method ${method}` }, method.toUpperCase()), ' ', el('code', {}, path), ' ', el('span', { class: 'summary' }, op.summary ?? ''));
  const details = el('details', { class: 'operation', id: op.operationId ?? `${method}-${path}` }, head);
  // Filled when it is opened first: most of them never are.
  details.addEventListener('toggle', () => {
    if (!details.open || details.childNodes.length > 1) return;
    details.append(...prose(op.description), el('p', { class: 'type' }, callers(op)), ...parameters(op, item));
    if (body.content) details.append(el('h4', {}, 'Body'), ...prose(body.description), ...bodies(body.content));
    details.append(...answers(op));
  });
  details.dataset.find = `${method} ${path} ${op.summary ?? ''} ${op.operationId ?? ''}`.toLowerCase();
  return { tag: op.tags?.[0] ?? 'Other', details };
}

/* The server it came from is the server it describes: paths are relative to the origin. */
function show() {
  const all = Object.entries(doc.paths).flatMap(([path, item]) => METHODS.filter((m) => item[m]).map((m) => operation(path, m, item)));
  const tags = [...new Set([...(doc.tags ?? []).map((t) => t.name), ...all.map((o) => o.tag)])];
  const sections = tags.map((tag) => {
    const described = (doc.tags ?? []).find((t) => t.name === tag);
    return el('section', {}, el('h2', {}, tag), ...prose(described?.description), ...all.filter((o) => o.tag === tag).map((o) => o.details));
  });
  $('about').replaceChildren(...prose(doc.info.summary).flatMap((p) => [...p.childNodes]), ` Version ${doc.info.version}.`);
  $('operations').replaceChildren(el('details', {}, el('summary', {}, 'About all of them'), ...prose(doc.info.description)), ...sections);
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted?.matches('.operation')) {
    wanted.open = true;
    wanted.scrollIntoView();
  }
}

function find() {
  const words = $('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll('main section')) {
    for (const o of section.querySelectorAll('.operation')) o.hidden = !words.every((w) => o.dataset.find.includes(w));
    section.hidden = !section.querySelector('.operation:not([hidden])');
  }
}

async function start() {
  const answer = await fetch(document.body.dataset.document);
  if (!answer.ok) throw new Error(String(answer.status));
  doc = await answer.json();
  show();
  $('find').addEventListener('input', find);
}

start().catch(() => $('operations').replaceChildren(el('p', { role: 'alert' }, 'The description cannot be loaded.')));
