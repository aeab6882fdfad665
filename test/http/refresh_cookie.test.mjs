// refresh_cookie.test.mjs — R16: cookie mode is the same code path, so everything that refresh.test.mjs says of bearer
// clients is said of browsers too.
process.env.TEST_DELIVERY = 'cookie';
await import('./refresh.test.mjs');
