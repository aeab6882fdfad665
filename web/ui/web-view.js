/* web-view.js - an app has opened the sign-in in a window of its own. A web app on the home screen of an iPhone looks the
 * same to the server, but nobody looks on there: it goes on by itself. */
import { $, api, onClick, show } from './page.js';
import { copy } from './codes.js';

const here = new URL(location.href), on = new URL(here);
on.searchParams.set('web_view', 'known');

/* The address as the system's browser is told to open it: elsewhere there is no way to say so. */
function outside() {
  if (/Android/.test(navigator.userAgent))
    return `intent://${here.host}${here.pathname}${here.search}#Intent;scheme=${here.protocol.slice(0, -1)};action=android.intent.action.VIEW;category=android.intent.category.BROWSABLE;end`;
  return /iPhone|iPad|iPod/.test(navigator.userAgent) ? `x-safari-${here}` : '';
}

if (navigator.standalone === true) {
  location.replace(on);
} else {
  const browser = outside(), back = api.config.returnTo;
  $('open').href = browser;
  show($('open'), browser !== '');
  if (back) $('back').href = back;
  show($('back'), Boolean(back));
  $('on').href = on.href;
  onClick($('copy'), () => copy(here.href));
}
