/* return_path.js - where a page may lead back to: an absolute path of this origin, or nowhere ('').
 * Whatever some parser on the way could take for another host is refused, not repaired. */
const MAX = 2048;

export function returnPath(value, origin) {
  if (typeof value !== 'string' || value.length > MAX) return '';
  let text = value;
  for (let rounds = 0; ; rounds++) {
    // printable ASCII only; one slash at the beginning; no backslash; no dots that go up; no second slash in a row
    const path = text.split(/[?#]/, 1)[0];
    if (!/^\/(?!\/)[!-~]*$/.test(path) || path.includes('\\') || path.includes('//')) return '';
    if (path.split('/').some((part) => part === '..' || part === '.')) return '';
    if (!path.includes('%')) break;
    if (rounds === 4) return '';
    try {
      const decoded = decodeURIComponent(path);
      if (decoded === path) break;
      text = decoded.replace(/[^\0-\x7f]| /g, 'x'); // neither spaces nor letters of other scripts do harm in a path
    } catch {
      return '';
    }
  }
  if (/[^!-~]|\\/.test(value)) return '';
  const url = new URL(value, origin);
  return url.origin === origin && url.pathname.startsWith('/') ? url.pathname + url.search + url.hash : '';
}
