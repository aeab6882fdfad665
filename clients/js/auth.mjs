// auth.mjs - the script of the hosted pages as an ES module. auth.js beside it is web/ui/auth.js, byte for byte.
import './auth.js';

export const AwesomeNodeAuth = globalThis.AwesomeNodeAuth;
export const AuthService = AwesomeNodeAuth;
export default AwesomeNodeAuth;
