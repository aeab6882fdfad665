/* sp_store_promises.h — what all stores promise, whatever they keep records in. */
#ifndef TEST_SP_STORE_PROMISES_H
#define TEST_SP_STORE_PROMISES_H

#include "sp_store_fixture.h"

/* Of a place that is shared, also what others see, and locks. */
void add_promises(const struct place *place);

/* Of stores that are opened with nothing but a place for them. */
void null_is_refused(void **state);

#endif
