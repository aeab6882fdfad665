// auth.mjs - the script of the hosted pages as an ES module. auth.js is web/ui/auth.js: `npm run prepare` (and with it
// `npm pack` and `npm install` of this folder) puts it here.
import './auth.js';

export const Sallyport = globalThis.Sallyport;
export const AwesomeNodeAuth = Sallyport;
export const AuthService = Sallyport;
export default Sallyport;
