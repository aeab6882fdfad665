// A provider for bench/delivery.sh on loopback: node bench/smtp.mjs PORT up|blackhole [COUNT]
// "up" is a real SMTP server that takes everything, and ends after COUNT mails; "blackhole" accepts connections
// and never says a word.
import { createRequire } from 'node:module';
import net from 'node:net';

const { SMTPServer } = createRequire(new URL('../test/package.json', import.meta.url))('smtp-server');

const [port, mode, count = Infinity] = process.argv.slice(2).map((a, i) => (i === 1 ? a : Number(a)));
let taken = 0;
const server = mode === 'blackhole' ? net.createServer((socket) => socket.on('error', () => {})) : new SMTPServer({
  authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], disableReverseLookup: true,
  onData(stream, session, done) {
    stream.resume();
    stream.on('end', () => {
      done();
      if (++taken >= count) setImmediate(() => process.exit(0));
    });
  },
});
server.listen(port, '127.0.0.1', () => console.log('ready'));
