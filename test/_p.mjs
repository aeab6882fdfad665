import napi from '@ast-grep/napi'; import dart from '@ast-grep/lang-dart'; import fs from 'node:fs';
napi.registerDynamicLanguage({ dart });
for (const f of process.argv.slice(2)) {
const root = napi.parse('dart', fs.readFileSync(f,'utf8')).root();
const walk = (n) => { const t = n.text(); if (n.kind() === 'ERROR' || (n.isLeaf() && t === '')) console.log(f, n.kind(), n.range().start.line+1, n.range().start.column, JSON.stringify(t.slice(0,80))); for (const c of n.children()) walk(c); };
walk(root); }
