/* cli_measure.h — `sallyport calibrate`: what hashing costs on this machine. */
#ifndef APP_CLI_MEASURE_H
#define APP_CLI_MEASURE_H

#include "app/cli_internal.h"

/* Settings for hashes that take about word 0 milliseconds (100). */
enum exit_code calibrate_cmd(struct cli *cli, const struct args *a);

#endif
