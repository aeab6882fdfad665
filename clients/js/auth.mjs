// auth.mjs - the script of the hosted pages as an ES module. auth.js is web/ui/auth.js: `npm run prepare` (and with it
// `npm pack` and `npm install` of this folder) puts it here.
import './auth.js';

export const AwesomeNodeAuth = globalThis.AwesomeNodeAuth;
export const AuthService = AwesomeNodeAuth;
export default AwesomeNodeAuth;
