/* redirect.h — where an app may be sent back to: registered addresses, compared byte by byte. The one exception is
 * a loopback address, whose port the app cannot know in advance. Source: RFC 8252 §7, §8.4; RFC 9700 §2.1. */
#ifndef OAUTH_REDIRECT_H
#define OAUTH_REDIRECT_H

#include "base/config.h"
#include "base/str.h"

#define REDIRECT_MAX 512

/* Can this be registered: https://host/path, http://127.0.0.1/path, http://[::1]/path, scheme:/path or
 * scheme://host/path of an app? Any host may have a port (an app under development is "exp://192.168.1.20:8081/--/auth").
 * Never with a user, a query, a fragment, an escape, or a scheme that means something to browsers. */
bool redirect_may_register(str uri);

/* Is `uri` one of the registered, or one of them that is on loopback with another port? */
bool redirect_is_registered(const struct str_list *registered, str uri);

/* http or https: a page of the web or an app that claims it. */
bool redirect_is_web(str uri);

/* A scheme of an app without a dot: any other app may claim it too. */
bool redirect_is_short(str uri);

#endif
