// routes.mjs — the server's route table, read out of src/api/routes.c.
import assert from 'node:assert/strict';
import { source } from './paths.mjs';

const ROW = /\{\s*METHOD_(\w+),\s*PLACE_(\w+),\s*"([^"]+)",\s*AUTH_(\w+),\s*STEPUP_(\w+),\s*LANE_(\w+),\s*(?:&(\w+)|NULL),\s*(\w+),\s*(true|false)\s*\}/g;

export const routes = [...source('src/api/routes.c').matchAll(ROW)].map(([, method, place, pattern, auth, stepup, lane, body, handler, saysSuccess]) => ({
  method, place, pattern, auth, stepup, lane, handler,
  body: body ?? null,
  saysSuccess: saysSuccess === 'true',
  path: (place === 'PREFIX' ? '/auth' : '') + pattern,
}));

// A row that the expression does not understand must not drop out of the tests unseen.
assert.equal(routes.length, [...source('src/api/routes.c').matchAll(/\bMETHOD_\w+,\s*PLACE_/g)].length, 'rows of routes.c');

/* A path that fits the pattern, whatever it may stand for. */
export const examplePath = (route) => route.path.replace(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000');
