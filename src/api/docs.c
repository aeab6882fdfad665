/* docs.c — the description of the API and a viewer for it, where docs.enabled says so. */
#include "api/page.h"

static bool is_on(const struct req *r)
{
	return r->c.cfg->docs.enabled && r->rt->ui != NULL;
}

err_t api_docs_openapi(struct req *r, const void *body, struct http_reply *rep)
{
	(void)body;
	REQUIRE(is_on(r), ERR_NO_ROUTE);
	return page_file(r, ui_openapi(r->rt->ui), rep);
}

err_t api_docs_viewer(struct req *r, const void *body, struct http_reply *rep)
{
	str nonce;

	(void)body;
	REQUIRE(is_on(r), ERR_NO_ROUTE);
	TRY(page_nonce(r, &nonce));
	TRY(page_head(r, nonce, rep));
	ui_docs_write(r->rt->ui, r->c.cfg, nonce, &rep->body);
	return OK;
}

err_t api_docs_file(struct req *r, const void *body, struct http_reply *rep)
{
	struct ui_file file;

	(void)body;
	REQUIRE(is_on(r) && ui_docs_file_find(r->http->route_params[0], &file), ERR_NO_ROUTE);
	return page_file(r, &file, rep);
}
