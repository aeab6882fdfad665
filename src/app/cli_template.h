/* cli_template.h — `sallyport template …`: looking at the messages, replacing and translating them.
 * A running server uses what is stored from the next message on. */
#ifndef APP_CLI_TEMPLATE_H
#define APP_CLI_TEMPLATE_H

#include "app/cli_internal.h"

enum exit_code template_list_cmd(struct cli *cli, const struct args *a);
enum exit_code template_show_cmd(struct cli *cli, const struct args *a);
enum exit_code template_set_cmd(struct cli *cli, const struct args *a);
enum exit_code template_translate_cmd(struct cli *cli, const struct args *a);
enum exit_code template_untranslate_cmd(struct cli *cli, const struct args *a);
enum exit_code template_remove_cmd(struct cli *cli, const struct args *a);
enum exit_code template_preview_cmd(struct cli *cli, const struct args *a);

#endif
