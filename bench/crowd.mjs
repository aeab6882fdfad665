// For bench/oauth.sh: node bench/crowd.mjs PORT PATH OTHER_PATH
// 200 people who ask for PATH, each again two seconds after the answer; for OTHER_PATH after SIGUSR2, and so on.
import http from 'node:http';

const [port, ...paths] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 200 });
const later = (fn) => setTimeout(fn, 2000);
const ask = () => {
  http.get({ host: '127.0.0.1', port, path: paths[0], agent }, (r) => r.resume().on('end', () => later(ask)))
    .on('error', () => later(ask));
};
process.on('SIGUSR2', () => paths.reverse());
for (let i = 0; i < 200; i++) setTimeout(ask, 10 * i); // people do not come all at once
console.log('ready');
