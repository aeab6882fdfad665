// jwt.mjs — makes tokens byte by byte, good ones and bad ones, with the server's own keys or others.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const b64 = (data) => Buffer.from(data).toString('base64url');
const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

/* The server's newest signing key. */
export function serverKey(dataDir) {
  const dir = path.join(dataDir, 'keys');
  const file = fs.readdirSync(dir).filter((name) => /^jwt-\d+-/.test(name)).sort().at(-1);
  const pem = fs.readFileSync(path.join(dir, file), 'utf8');
  return file.includes('HS256') ? crypto.createSecretKey(Buffer.from(pem.trim(), 'base64url')) : crypto.createPrivateKey(pem);
}

export function signature(alg, key, input) {
  switch (alg) {
    case 'ES256': return crypto.sign('sha256', input, { key, dsaEncoding: 'ieee-p1363' });
    case 'RS256': return crypto.sign('sha256', input, key);
    case 'PS256': return crypto.sign('sha256', input, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
    case 'EdDSA': return crypto.sign(null, input, key);
    case 'HS256': return crypto.createHmac('sha256', key).update(input).digest();
    default: throw new Error(alg);
  }
}

/* header and claims as objects, or as the exact text; sign: how it is really signed. */
export function makeToken(header, claims, key, sign = 'ES256') {
  const input = `${b64(text(header))}.${b64(text(claims))}`;
  return `${input}.${b64(signature(sign, key, Buffer.from(input)))}`;
}
