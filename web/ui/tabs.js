/* tabs.js - a mailed link that is a second factor opens in a new tab; the sign-in that it belongs to waits in
 * another one of this browser, and hands over its half when asked. */
const channel = () => ('BroadcastChannel' in window ? new BroadcastChannel('sallyport-2fa') : null);
const PATIENCE_MS = 250;

/* In the tab that waits: token() is the handle of its sign-in, or ''. */
export function answerOtherTabs(token) {
  const c = channel();
  c?.addEventListener('message', ({ data }) => {
    if (data === 'who waits?' && token()) c.postMessage({ handle: token() });
  });
}

/* In the tab of the link: the handle that waits, or ''. */
export function askOtherTabs() {
  const c = channel();
  if (c === null) return Promise.resolve('');
  return new Promise((resolve) => {
    const end = (handle) => { c.close(); resolve(handle); };
    c.addEventListener('message', ({ data }) => { if (typeof data?.handle === 'string') end(data.handle); });
    c.postMessage('who waits?');
    setTimeout(end, PATIENCE_MS, '');
  });
}
