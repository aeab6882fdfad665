// doctor.mjs — the word by which a server knows its operator's `doctor` (src/api/doctor.h), made as the program makes it.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export function doctorWord(server, at = server.now) {
  const master = Buffer.from(fs.readFileSync(path.join(server.dataDir, 'keys/master.key'), 'utf8').trim(), 'base64url');
  const key = Buffer.from(crypto.hkdfSync('sha256', master, '', 'sallyport/v1/doctor', 32));
  return `${at}.${crypto.createHmac('sha256', key).update(String(at)).digest('base64url')}`;
}
