// paths.mjs — where the sources and the programs under test are.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const BUILD = path.resolve(ROOT, process.env.BUILD_DIR ?? 'build');
export const SALLYPORT = path.join(BUILD, 'sallyport');
export const SALLYPORT_TEST = path.join(BUILD, 'test', 'sallyport-test');

export const source = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');
